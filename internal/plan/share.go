package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A PolicyReader is a Registry that also knows the resource policies of its
// repositories.
type PolicyReader interface {
	// RepositoryPolicyText returns the text of the policy that lets others use
	// the repository, or "" when it has none.
	RepositoryPolicyText(ctx context.Context, repository string) (string, error)
}

// sharedFinding says which other accounts may pull from a repository from which
// images would go, although nothing tells what is in use there.
func (p Planner) sharedFinding(ctx context.Context, repository string, settings config.Protect) []finding.Finding {
	reader, ok := p.Registry.(PolicyReader)
	if !ok || p.Scanner == nil || len(settings.InUse) == 0 || len(settings.References) > 0 {
		return nil
	}
	text, err := reader.RepositoryPolicyText(ctx, repository)
	if err != nil {
		return []finding.Finding{{Kind: finding.SharedRepository, Repository: repository, Message: "who may pull from it is not known: " + err.Error()}}
	}
	others := pullers(text, p.Scanner.Account)
	if len(others) == 0 {
		return nil
	}
	return []finding.Finding{{Kind: finding.SharedRepository, Repository: repository, Message: fmt.Sprintf(
		"its policy lets %s pull, and no list in protect.references says what they use", strings.Join(others, ", "))}}
}

// pullers returns the principals outside the account that a resource policy
// lets pull, sorted. Conditions are weighed for services only, which pull for
// accounts that a condition names. A text that cannot be read may let anybody
// pull.
func pullers(text, account string) []string {
	if text == "" {
		return nil
	}
	var policy struct{ Statement list[statement] }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return []string{"whoever a policy names that cannot be read"}
	}
	var others []string
	for _, s := range policy.Statement {
		if s.Effect == "Allow" && s.allowsPull() {
			others = append(others, s.outside(account)...)
		}
	}
	slices.Sort(others)
	return slices.Compact(others)
}

// allowsPull reports whether the statement covers an action that a pull needs.
// What is not said to be left out is covered.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (s statement) allowsPull() bool {
	if len(s.NotAction) > 0 {
		return true
	}
	return slices.ContainsFunc(s.Action, func(action string) bool {
		pattern := wildcard.Compile(strings.ToLower(action))
		return strings.Contains(action, "?") || pattern.Match("ecr:batchgetimage") || pattern.Match("ecr:getdownloadurlforlayer")
	})
}

// outside returns the principals that are not of the account.
func (s statement) outside(account string) []string {
	if s.NotPrincipal != nil {
		return []string{"all but some"}
	}
	var others []string
	for _, principal := range s.Principal.AWS {
		if accountOf(principal) != account {
			others = append(others, principal)
		}
	}
	for _, service := range s.Principal.Service {
		for _, named := range accountID.FindAllString(string(s.Condition), -1) {
			if named != account {
				others = append(others, service+" for "+named)
			}
		}
	}
	return append(others, s.Principal.Federated...)
}

var accountID = regexp.MustCompile(`\b[0-9]{12}\b`)

// accountOf returns the account of a principal, which is an ARN, the account
// itself or * for anybody.
func accountOf(principal string) string {
	if fields := strings.SplitN(principal, ":", 6); len(fields) == 6 {
		return fields[4]
	}
	return principal
}

type statement struct {
	Effect       string
	Action       list[string]
	NotAction    list[string]
	Principal    principals
	NotPrincipal json.RawMessage
	Condition    json.RawMessage
}

// principals are "*" or, among others, AWS accounts, roles and users.
type principals struct{ AWS, Service, Federated list[string] }

// UnmarshalJSON reads either form.
func (p *principals) UnmarshalJSON(text []byte) error {
	if string(text) == `"*"` {
		p.AWS = list[string]{"*"}
		return nil
	}
	type plain principals
	return json.Unmarshal(text, (*plain)(p))
}

// A list is written as an array or, when it has one element, as that.
type list[T any] []T

// UnmarshalJSON reads either form.
func (l *list[T]) UnmarshalJSON(text []byte) error {
	var many []T
	if err := json.Unmarshal(text, &many); err == nil {
		*l = many
		return nil
	}
	var one T
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	*l = list[T]{one}
	return nil
}

package plan

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// sharedFinding returns a finding if other accounts may pull from the repository and there
// is no list of references.
func (c *contents) sharedFinding(ctx context.Context, settings config.Protect) []finding.Finding {
	reader, ok := c.Registry.(PolicyReader)
	if !ok || c.Scanner == nil || len(settings.InUse) == 0 || len(settings.References) > 0 {
		return nil
	}
	text, err := reader.RepositoryPolicyText(ctx, c.repository)
	if err != nil {
		return []finding.Finding{c.finding(finding.SharedRepository, "it is not known which other accounts may pull from it: %v", err)}
	}
	others := Pullers(text, c.Scanner.Account)
	if len(others) == 0 {
		return nil
	}
	return []finding.Finding{c.finding(finding.SharedRepository,
		"its policy lets %s pull; protect.references has no list of the images that they use", strings.Join(others, ", "))}
}

// Pullers returns the principals outside the account that the policy lets pull, sorted. It
// reads conditions only for services, which pull for the accounts in a condition.
func Pullers(text, account string) []string {
	if text == "" {
		return nil
	}
	var policy struct{ Statement list[statement] }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return []string{"unknown principals (the policy cannot be read)"}
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

type statement struct {
	Effect                  string
	Action, NotAction       list[string]
	Principal               principals
	NotPrincipal, Condition json.RawMessage
}

// allowsPull reports whether the statement allows an action that a pull needs. It assumes
// so for NotAction and for the wildcard "?".
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (s statement) allowsPull() bool {
	return len(s.NotAction) > 0 || slices.ContainsFunc(s.Action, func(action string) bool {
		pattern := wildcard.Compile(strings.ToLower(action))
		return strings.Contains(action, "?") || pattern.Match("ecr:batchgetimage") || pattern.Match("ecr:getdownloadurlforlayer")
	})
}

func (s statement) outside(account string) []string {
	if s.NotPrincipal != nil {
		return []string{"everyone outside NotPrincipal"}
	}
	var others []string
	for _, principal := range s.Principal.AWS {
		of := principal // an ARN, an account or *
		if fields := strings.SplitN(principal, ":", 6); len(fields) == 6 {
			of = fields[4]
		}
		if of != account {
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

// principals is "*" or an object in the policy.
type principals struct{ AWS, Service, Federated list[string] }

func (p *principals) UnmarshalJSON(text []byte) error {
	if string(text) == `"*"` {
		p.AWS = list[string]{"*"}
		return nil
	}
	type plain principals
	return json.Unmarshal(text, (*plain)(p))
}

// A list is an array in the policy, or its only element.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(text []byte) error {
	if text[0] != '[' && string(text) != "null" {
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	return json.Unmarshal(text, (*[]T)(l))
}

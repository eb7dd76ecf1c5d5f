package cleaner

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
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
func (p Planner) sharedFinding(ctx context.Context, repository string, settings config.Protect) []Finding {
	reader, ok := p.Registry.(PolicyReader)
	if !ok || p.scanner == nil || len(settings.InUse) == 0 || len(settings.References) > 0 {
		return nil
	}
	text, err := reader.RepositoryPolicyText(ctx, repository)
	if err != nil {
		return []Finding{{SharedRepository, repository, "who may pull from it is not known: " + err.Error()}}
	}
	others := pullers(text, p.scanner.account)
	if len(others) == 0 {
		return nil
	}
	return []Finding{{SharedRepository, repository, fmt.Sprintf(
		"its policy lets %s pull, and no list in protect.references says what they use", strings.Join(others, ", "))}}
}

// pullers returns the principals outside the account that a resource policy
// lets pull, sorted. Conditions are not weighed. A text that cannot be read
// lets nobody pull.
func pullers(text, account string) []string {
	var policy struct{ Statement list[statement] }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return nil
	}
	var others []string
	for _, s := range policy.Statement {
		if s.Effect != "Allow" || !slices.ContainsFunc(s.Action, allowsPull) {
			continue
		}
		for _, principal := range s.Principal.AWS {
			if principal == "*" || !strings.Contains(principal, account) {
				others = append(others, principal)
			}
		}
	}
	slices.Sort(others)
	return slices.Compact(others)
}

// allowsPull reports whether the action is one that a pull needs.
func allowsPull(action string) bool {
	switch strings.ToLower(action) {
	case "*", "ecr:*", "ecr:batch*", "ecr:get*", "ecr:batchget*", "ecr:batchgetimage", "ecr:getdownloadurlforlayer":
		return true
	}
	return false
}

type statement struct {
	Effect    string
	Action    list[string]
	Principal principals
}

// principals are "*" or, among others, AWS accounts, roles and users.
type principals struct{ AWS list[string] }

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

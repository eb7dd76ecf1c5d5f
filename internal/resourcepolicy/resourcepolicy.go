// Package resourcepolicy reads which accounts may pull under the resource policy of a
// repository or of the registry. In doubt an account may pull: neither a condition nor a
// Deny statement shows that it may not.
package resourcepolicy

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Policy is a parsed resource policy. The zero value allows nothing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type Policy struct {
	unreadable bool
	pulls      []statement // not Deny, and with an action that a pull needs
}

// Parse reads the text of a policy; "" is no policy.
func Parse(text string) Policy {
	if text == "" {
		return Policy{}
	}
	var document struct{ Statement list[statement] }
	repeated := jsondoc.Parse(bytes.ToLower([]byte(text))).Problems() // encoding/json ignores the case of names
	if err := json.Unmarshal([]byte(text), &document); err != nil || len(repeated) > 0 || document.Statement == nil {
		return Policy{unreadable: true}
	}
	cannotPull := func(s statement) bool { return s.Effect == "Deny" || !s.namesPull() }
	return Policy{pulls: slices.DeleteFunc(document.Statement, cannotPull)}
}

// MayAdmit reports whether the policy may let any principal of the account pull. It is
// false only if each statement that may allow a pull names other accounts alone.
func (p Policy) MayAdmit(account string) bool {
	return p.unreadable || slices.ContainsFunc(p.pulls, func(s statement) bool { return s.mayAdmit(account) })
}

// Pullers returns the principals outside the accounts that the policy lets pull, sorted. It
// reads conditions only for services, which pull for the accounts in a condition.
func (p Policy) Pullers(accounts ...string) []string {
	if p.unreadable {
		return []string{"unknown principals (the policy cannot be read)"}
	}
	var others []string
	for _, s := range p.pulls {
		others = append(others, s.outside(accounts)...)
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

// namesPull reports whether the statement has an action that a pull needs. It assumes so
// without actions, for NotAction and for the wildcard "?".
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (s statement) namesPull() bool {
	return len(s.NotAction) > 0 || len(s.Action) == 0 || slices.ContainsFunc(s.Action, func(action string) bool {
		pattern := wildcard.Compile(strings.ToLower(action))
		return strings.Contains(action, "?") || pattern.Match("ecr:batchgetimage") || pattern.Match("ecr:getdownloadurlforlayer")
	})
}

func (s statement) mayAdmit(account string) bool {
	names := s.Principal["AWS"]
	isDoubtful := func(principal string) bool {
		of := accountOf(principal)
		return of == account || !isNumber(of)
	}
	return s.NotPrincipal != nil || len(s.Principal) != 1 || len(names) == 0 || slices.ContainsFunc(names, isDoubtful)
}

func (s statement) outside(accounts []string) []string {
	if s.NotPrincipal != nil {
		return []string{"everyone outside NotPrincipal"}
	}
	var others []string
	for kind, names := range s.Principal {
		for _, name := range names {
			switch {
			case kind == "Service":
				for _, named := range numbers.FindAllString(string(s.Condition), -1) {
					if !slices.Contains(accounts, named) {
						others = append(others, name+" for "+named)
					}
				}
			case kind != "AWS" || !slices.Contains(accounts, accountOf(name)):
				others = append(others, name)
			}
		}
	}
	return others
}

// accountOf returns the account field of an ARN, and any other text as it is.
func accountOf(principal string) string {
	if fields := strings.SplitN(principal, ":", 6); len(fields) == 6 && fields[0] == "arn" {
		return fields[4]
	}
	return principal
}

func isNumber(account string) bool {
	return len(account) == 12 && strings.Trim(account, "0123456789") == ""
}

var numbers = regexp.MustCompile(`\b[0-9]{12}\b`)

// principals are by kind, such as AWS. The principal "*" is that of the kind AWS.
type principals map[string]list[string]

func (p *principals) UnmarshalJSON(text []byte) error {
	if string(text) == `"*"` {
		*p = principals{"AWS": {"*"}}
		return nil
	}
	return json.Unmarshal(text, (*map[string]list[string])(p))
}

// A list is an array in the policy, or its only element.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(text []byte) error {
	if text[0] != '[' && string(text) != "null" {
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	return json.Unmarshal(text, (*[]T)(l))
}

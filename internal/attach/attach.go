// Package attach puts lifecycle policies on repositories and takes them off,
// which makes ECR apply them by itself, without any protection. What would
// change is planned and can be shown before anything does: [Planner] is given
// nothing that changes a policy, and [Apply] changes no policy that is not as it
// was planned.
package attach

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A Writer changes which policies are attached. Implementations must be safe
// for concurrent use.
type Writer interface {
	// Attach makes the text the policy of the repository, in place of the one
	// it has.
	Attach(ctx context.Context, repository, text string) error
	// Detach removes the policy of the repository. The error is
	// cleaner.ErrNoPolicy when it has none.
	Detach(ctx context.Context, repository string) error
}

// A Plan is what would change in the selected repositories.
type Plan struct {
	// Account is the registry's; it is empty when the registry is.
	Account string
	// Repositories are in the order in which the registry lists them.
	Repositories []Repository
}

// A Repository is what would change in one repository.
type Repository struct {
	Name string
	// Entry is the name of the configuration's entry that gives the policy, or
	// "" when a person did or none is given.
	Entry  string
	Change Change
	// Message is why there is no change where that needs words.
	Message string
	// Before is the policy attached now, After the one to attach.
	Before, After Document
	// Foresight is what ECR would do after the change.
	Foresight cleaner.Foresight
	// Outcome is empty until the plan is applied.
	Outcome Outcome

	listed cleaner.Repository
	// decides is the configuration's entry that selects it, or nil.
	decides *config.Entry
}

// Change is what is to be done about a repository.
type Change string

// The changes.
const (
	Attach    Change = "attach"     // where none is attached
	Replace   Change = "replace"    // the one that is attached
	Detach    Change = "detach"     // the one that is attached
	Unchanged Change = "unchanged"  // it is as it is to be
	LeftAlone Change = "left alone" // nothing is configured for it
	Refused   Change = "refused"    // ECR would not take its policy
	Unread    Change = "failed"     // it could not be read
)

// Changes reports whether something is to be done.
func (c Change) Changes() bool { return c == Attach || c == Replace || c == Detach }

// Outcome is what became of a repository that was to change.
type Outcome string

// The outcomes.
const (
	Attached Outcome = "attached"
	Detached Outcome = "detached"
	// Changed: another policy is attached than when the plan was made. It is
	// left alone.
	Changed Outcome = "changed"
	Gone    Outcome = "gone" // the repository was deleted meanwhile
	Failed  Outcome = "failed"
	// NotAttempted: the run was stopped before.
	NotAttempted Outcome = "not attempted"
)

// A Document is a policy and its text; the zero Document is none.
type Document struct {
	Text   string
	Policy lifecycle.Policy
	// Fault is what keeps the text from being read as a policy, or "".
	Fault string
}

// Read reads a policy text that ECR holds or shall hold.
func Read(text string) Document {
	policy, problems := lifecycle.ParseText([]byte(text))
	if err := problems.Err(); err != nil {
		return Document{Text: text, Fault: err.Error()}
	}
	return Document{Text: text, Policy: policy}
}

// Same reports whether both documents mean the same: neither white space nor
// the order of rules and of list entries makes a difference, a description
// does, since people read it. What cannot be read is the same only letter by
// letter.
func (d Document) Same(o Document) bool {
	if d.Text == "" || o.Text == "" || d.Fault != "" || o.Fault != "" {
		return d.Text == o.Text
	}
	return canonical(d.Policy) == canonical(o.Policy)
}

// Handled reports whether everything that was to be done could be read and was
// done.
func (p *Plan) Handled() bool {
	for i := range p.Repositories {
		switch r := &p.Repositories[i]; {
		case r.Change == Unread, r.Change == Refused:
			return false
		case r.Outcome == Failed, r.Outcome == Changed, r.Outcome == NotAttempted:
			return false
		case slices.ContainsFunc(r.Foresight.Findings, func(f cleaner.Finding) bool { return f.Kind.Failure() != "" }):
			return false
		}
	}
	return true
}

// Changes is the number of repositories in which something is to be done.
func (p *Plan) Changes() int {
	n := 0
	for i := range p.Repositories {
		if p.Repositories[i].Change.Changes() {
			n++
		}
	}
	return n
}

// ofPolicy returns the document of a policy that is not a text yet.
func ofPolicy(p lifecycle.Policy) Document {
	text, _ := p.MarshalJSON() // every policy has a text
	return Read(string(text))
}

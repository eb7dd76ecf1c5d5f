// Package attach attaches lifecycle policies to repositories and detaches them. A [Planner]
// plans the changes and cannot change a policy. [Apply] carries out a plan.
package attach

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A Writer changes which policies are attached. It must be safe for concurrent use.
type Writer interface {
	// Attach attaches the text, and replaces an earlier policy.
	Attach(ctx context.Context, repository, text string) error
	// Detach returns [plan.ErrNoPolicy] if no policy is attached.
	Detach(ctx context.Context, repository string) error
}

// A Plan has the planned changes of the selected repositories, in the registry's order.
// Account is that of the registry, or "" if the registry has no repository.
type Plan struct {
	Account      string
	Repositories []Repository
}

// A Repository has the planned change of one repository.
type Repository struct {
	Name          string        `json:"name"`
	Entry         string        `json:"policy,omitempty"` // the configuration's entry with the policy, or ""
	Change        Change        `json:"change"`
	Outcome       Outcome       `json:"outcome,omitempty"` // "" until the plan is applied
	Message       string        `json:"message,omitempty"` // the reason if there is no change, or ""
	Before, After Document      `json:"-"`                 // the attached policy, and the one to attach
	Foresight     plan.Forecast `json:"-"`                 // the actions of ECR after the change

	listed  plan.Repository
	decides *config.Entry // the configuration's entry that selects the repository, or nil
}

// Change is the planned change of a repository.
type Change string

// The changes that are planned.
const (
	Attach    Change = "attach"     // no policy is attached now
	Replace   Change = "replace"    // another policy is attached now
	Detach    Change = "detach"     // the policy is detached, and no other attached
	Unchanged Change = "unchanged"  // the policy is already attached
	LeftAlone Change = "left alone" // the configuration has no policy to attach, or another one than the attached
	Refused   Change = "refused"    // ECR would not accept the policy
	Unread    Change = "failed"     // the repository cannot be read
)

// Changes reports whether Apply would change the repository.
func (c Change) Changes() bool { return c == Attach || c == Replace || c == Detach }

// Outcome is the result of a change.
type Outcome string

// The outcomes.
const (
	Attached     Outcome = "attached"
	Detached     Outcome = "detached"
	Changed      Outcome = "changed" // skipped: the attached policy has changed since the plan
	Gone         Outcome = "gone"    // the repository was deleted meanwhile
	Failed       Outcome = "failed"
	NotAttempted Outcome = "not attempted" // the run was stopped before
)

// A Document is a policy and its text. The zero Document means that there is no policy.
type Document struct {
	Text   string
	Policy lifecycle.Policy
	Fault  string // says why the text is not a valid policy, or is ""
}

// Read reads the text of a policy.
func Read(text string) Document {
	policy, problems := lifecycle.ParseText([]byte(text))
	if err := problems.Err(); err != nil {
		return Document{Text: text, Fault: err.Error()}
	}
	return Document{Text: text, Policy: policy}
}

// Same reports whether both documents have the same rules with the same descriptions, in any
// order. Documents with a fault are the same if their texts are equal.
func (d Document) Same(o Document) bool {
	if d.Text == "" || o.Text == "" || d.Fault != "" || o.Fault != "" {
		return d.Text == o.Text
	}
	return canonical(d.Policy) == canonical(o.Policy)
}

// Handled reports whether every repository was read and every change was carried out.
func (p *Plan) Handled() bool {
	return !slices.ContainsFunc(p.Repositories, func(r Repository) bool { return !r.Handled() })
}

// Handled is [Plan.Handled] for one repository.
func (r *Repository) Handled() bool {
	failure := func(f finding.Finding) bool { return f.Kind.Failure() != "" }
	return !r.Failed() && !slices.ContainsFunc(r.Foresight.Findings, failure)
}

// Failed reports whether the repository was not read or its change not carried out.
func (r *Repository) Failed() bool {
	return r.Change == Unread || r.Change == Refused ||
		r.Outcome == Failed || r.Outcome == Changed || r.Outcome == NotAttempted
}

// Changes returns the number of repositories with a change.
func (p *Plan) Changes() int {
	n := 0
	for _, r := range p.Repositories {
		if r.Change.Changes() {
			n++
		}
	}
	return n
}

// Counts are the numbers of images that ECR would delete, archive or keep after the changes.
type Counts struct {
	Evaluated    int `json:"evaluated"`
	Expired      int `json:"expired"`      // including images in use
	Transitioned int `json:"transitioned"` // including images in use
	Blocked      int `json:"blocked"`      // marked, but kept as children of a kept index
	InUse        int `json:"inUse"`        // of Expired and Transitioned
}

// Counts returns the counts of the repository.
func (r *Repository) Counts() Counts {
	c := Counts{Evaluated: r.Foresight.Listed}
	for _, im := range r.Foresight.Images {
		switch {
		case im.BlockedBy != "":
			c.Blocked++
			continue
		case im.Action == evaluator.Transition:
			c.Transitioned++
		default:
			c.Expired++
		}
		if len(im.UsedBy) > 0 {
			c.InUse++
		}
	}
	return c
}

// Add adds the counts of another repository.
func (c *Counts) Add(o Counts) {
	c.Evaluated += o.Evaluated
	c.Expired += o.Expired
	c.Transitioned += o.Transitioned
	c.Blocked += o.Blocked
	c.InUse += o.InUse
}

// Danger returns the number of images in use that ECR would delete or archive. If that is
// unknown in some repositories, unknown names the first one and the reason.
func (p *Plan) Danger() (inUse int, unknown string) {
	for _, r := range p.Repositories {
		c := r.Counts()
		inUse += c.InUse
		if d := r.Foresight.InUseUnknown; d != nil && unknown == "" && c.Expired+c.Transitioned > 0 {
			unknown = r.Name + ": " + d.Message
		}
	}
	return inUse, unknown
}

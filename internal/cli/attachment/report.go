package attachment

import (
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A changeReport is the JSON form of a change.
type changeReport struct {
	Version int `json:"version"`
	// Command is attach, detach or adopt.
	Command      string              `json:"command"`
	RunID        string              `json:"runId"`
	Account      string              `json:"account"`
	Region       string              `json:"region"`
	Start        time.Time           `json:"start"`
	End          time.Time           `json:"end"`
	Incomplete   bool                `json:"incomplete"`
	Totals       changeTotals        `json:"totals"`
	Repositories []changedRepository `json:"repositories"`
	Findings     []cleaner.Finding   `json:"findings,omitempty"`
	Calls        map[string]int      `json:"calls"`
}

type changeTotals struct {
	Repositories int `json:"repositories"`
	Changes      int `json:"changes"` // repositories in which something is to be done

	Attached int `json:"attached"`
	Detached int `json:"detached"`
	Failed   int `json:"failed"`
	attach.Counts
}

type changedRepository struct {
	Name       string         `json:"name"`
	Policy     string         `json:"policy,omitempty"` // the entry of the configuration
	Change     attach.Change  `json:"change"`
	Outcome    attach.Outcome `json:"outcome,omitempty"`
	Message    string         `json:"message,omitempty"`
	Difference []attach.Line  `json:"difference,omitempty"`
	attach.Counts
	// InUseUnknown is why it is not known which images are in use.
	InUseUnknown string         `json:"inUseUnknown,omitempty"`
	Images       []changedImage `json:"images,omitempty"`
}

// A changedImage is one that ECR would delete or archive.
type changedImage struct {
	ImageDigest         string           `json:"imageDigest"`
	ImageTags           []string         `json:"imageTags"`
	ImagePushedAt       time.Time        `json:"imagePushedAt"`
	Verdict             evaluator.Action `json:"verdict"`
	AppliedRulePriority int              `json:"appliedRulePriority"`
	Reason              string           `json:"reason"`
	BlockedBy           string           `json:"blockedBy,omitempty"`
	UsedBy              []string         `json:"usedBy,omitempty"`
}

// report returns the report of the change as far as it is carried out.
func (c *change) report() *changeReport {
	r := &changeReport{
		Version: 1, Command: c.command, RunID: c.RunID, Account: c.plan.Account, Region: c.Region,
		Start: c.Now, End: c.End(), Incomplete: !c.plan.Handled(), Repositories: []changedRepository{}, Calls: c.calls(),
	}
	r.Totals.Repositories, r.Totals.Changes = len(c.plan.Repositories), c.plan.Changes()
	for i := range c.plan.Repositories {
		repository := &c.plan.Repositories[i]
		r.Repositories = append(r.Repositories, c.reportOn(repository))
		r.Findings = append(r.Findings, repository.Foresight.Findings...)
		r.Totals.add(repository)
	}
	return r
}

func (t *changeTotals) add(r *attach.Repository) {
	t.Counts.Add(r.Counts())
	switch r.Outcome {
	case attach.Attached:
		t.Attached++
	case attach.Detached:
		t.Detached++
	case attach.Failed, attach.Changed, attach.NotAttempted:
		t.Failed++
	case attach.Gone:
	}
	if r.Change == attach.Unread || r.Change == attach.Refused {
		t.Failed++
	}
}

func (c *change) reportOn(r *attach.Repository) changedRepository {
	out := changedRepository{
		Name: r.Name, Policy: r.Entry, Change: r.Change, Outcome: r.Outcome, Message: r.Message, Counts: r.Counts(),
	}
	if r.Change.Changes() {
		out.Difference = r.Difference()
	}
	if c.command == adopting && r.Change == attach.Detach && !c.detaching {
		out.Change, out.Difference = adopting, nil
	}
	switch doubt := r.Foresight.Doubt; {
	case doubt != nil:
		out.InUseUnknown = doubt.Message
	case len(r.Foresight.Images) > 0 && r.Foresight.Scanned.IsZero():
		out.InUseUnknown = "protect.inUse and protect.references are empty"
	}
	for i := range r.Foresight.Images {
		im := &r.Foresight.Images[i]
		out.Images = append(out.Images, changedImage{
			im.Digest, append([]string{}, im.Tags...), im.PushedAt.Time(), im.Action, im.Rule, im.Reason, im.BlockedBy, im.UsedBy,
		})
	}
	return out
}

package attachment

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
)

// A changeReport is the JSON form of a change.
type changeReport struct {
	Version      int                 `json:"version"`
	Command      string              `json:"command"` // attach, detach or adopt
	RunID        string              `json:"runId"`
	Account      string              `json:"account"`
	Region       string              `json:"region"`
	Start        time.Time           `json:"start"`
	End          time.Time           `json:"end"`
	Incomplete   bool                `json:"incomplete"`
	Totals       changeTotals        `json:"totals"`
	Repositories []changedRepository `json:"repositories"`
	Findings     []finding.Finding   `json:"findings,omitempty"`
	Calls        map[string]int      `json:"calls"`
}

type changeTotals struct {
	Repositories int `json:"repositories"`
	Changes      int `json:"changes"` // repositories with a planned change
	Attached     int `json:"attached"`
	Detached     int `json:"detached"`
	Failed       int `json:"failed"`
	attach.Counts
}

type changedRepository struct {
	attach.Repository
	Difference []attach.Line `json:"difference,omitempty"`
	attach.Counts
	InUseUnknown string         `json:"inUseUnknown,omitempty"` // why it is not known which images are in use
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

func (c *change) report() *changeReport {
	r := &changeReport{
		Version: 1, Command: c.command, RunID: c.RunID, Account: c.plan.Account, Region: c.Region,
		Start: c.Now, End: c.End(), Incomplete: !c.plan.Handled(), Repositories: []changedRepository{}, Calls: c.Connection.Calls(),
	}
	maps.Copy(r.Calls, c.calls)
	r.Totals.Repositories, r.Totals.Changes = len(c.plan.Repositories), c.plan.Changes()
	for _, repository := range c.plan.Repositories {
		r.Repositories = append(r.Repositories, c.reportOn(&repository))
		r.Findings = append(r.Findings, repository.Foresight.Findings...)
		r.Totals.Add(repository.Counts())
		switch {
		case repository.Outcome == attach.Attached:
			r.Totals.Attached++
		case repository.Outcome == attach.Detached:
			r.Totals.Detached++
		case repository.Failed():
			r.Totals.Failed++
		}
	}
	return r
}

func (c *change) reportOn(r *attach.Repository) changedRepository {
	out := changedRepository{Repository: *r, Counts: r.Counts()}
	if r.Change.Changes() {
		out.Difference = r.Difference()
	}
	if c.command == "adopt" && r.Change == attach.Detach && !c.detaching {
		out.Change, out.Difference = "adopt", nil
	}
	switch doubt := r.Foresight.InUseUnknown; {
	case doubt != nil:
		out.InUseUnknown = doubt.Message
	case len(r.Foresight.Images) > 0 && r.Foresight.Scanned.IsZero():
		out.InUseUnknown = "protect.inUse and protect.references are empty"
	}
	for _, im := range r.Foresight.Images {
		out.Images = append(out.Images, changedImage{
			im.Digest, append([]string{}, im.Tags...), im.PushedAt.Time(), im.Action, im.Rule, im.Reason, im.BlockedBy, im.UsedBy,
		})
	}
	return out
}

// show writes the plan to the standard error stream. The standard output is for the report.
func (c *change) show() error {
	var out text.Lines
	r := c.report()
	for _, repository := range r.Repositories {
		repository.show(&out)
	}
	for _, f := range r.Findings {
		out.Addf("note: %s: %s", f.Repository, awserror.Clean(f.Message))
	}
	totals := fmt.Sprintf("%s, %d to change", text.Count(r.Totals.Repositories, "repository"), r.Totals.Changes)
	if c.command == "attach" {
		totals += ": " + counts(r.Totals.Counts)
	}
	out.Addf("%s", totals)
	if _, err := fmt.Fprint(c.Stderr, text.Fold(out.String(), c.Terminal.Err.Width)); err != nil {
		return exit.Failuref("write the plan: %w", err)
	}
	return nil
}

func (r *changedRepository) show(out *text.Lines) {
	line := fmt.Sprintf("%s: %s", r.Name, r.Change)
	switch {
	case r.Message != "":
		line += ": " + awserror.Clean(r.Message)
	case r.Change == attach.Attach || r.Change == attach.Replace:
		line += "; " + counts(r.Counts)
	}
	out.Addf("%s", line)
	for _, d := range r.Difference {
		out.Addf("  %s %s", d.Sign, d.Rule)
	}
	if r.InUseUnknown != "" {
		out.Addf("  it is not known which images are in use: %s", awserror.Clean(r.InUseUnknown))
	}
	for _, im := range r.Images {
		if len(im.UsedBy) > 0 && im.BlockedBy == "" {
			out.Addf("  in use: %s %s, %s by rule %d: %s",
				text.ShortDigest(im.ImageDigest), text.Tags(im.ImageTags), im.Verdict, im.AppliedRulePriority, strings.Join(im.UsedBy, ", "))
		}
	}
}

func counts(n attach.Counts) string {
	line := fmt.Sprintf("of %s ECR would delete %d and archive %d", text.Count(n.Evaluated, "image"), n.Expired, n.Transitioned)
	if n.Blocked > 0 {
		line += fmt.Sprintf(", and keep %d for the indexes that list them", n.Blocked)
	}
	if n.InUse > 0 {
		line += fmt.Sprintf("; in use: %d", n.InUse)
	}
	return line
}

// print writes the report or, after an error, the totals to the standard error stream.
func (c *change) print() error {
	r := c.report()
	err := c.Print("report", text.JSON(r), r.table)
	if err != nil {
		c.Notef("%s", r.totals())
	}
	return err
}

// printJSON is print if the output is JSON. Otherwise the user has seen the plan.
func (c *change) printJSON() error {
	if c.Output == session.JSON {
		return c.print()
	}
	return nil
}

func (r *changeReport) table(on terminal.Terminal) string {
	t := text.NewTable(text.Column{}, text.Column{}, text.Column{})
	for _, repository := range r.Repositories {
		t.Row(repository.Name, cmp.Or(string(repository.Outcome), string(repository.Change)), awserror.Clean(repository.Message))
	}
	return t.Fit(on, "-o json") + r.totals() + "\n"
}

func (r *changeReport) totals() string {
	t := r.Totals
	return fmt.Sprintf("%s: %d attached, %d detached, %d failed", text.Count(t.Repositories, "repository"), t.Attached, t.Detached, t.Failed)
}

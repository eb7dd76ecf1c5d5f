package attachment

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
)

// show writes the plan to the standard error stream, because the standard output is for
// the report.
func (c *change) show() error {
	var b strings.Builder
	r := c.report()
	for i := range r.Repositories {
		for _, line := range r.Repositories[i].lines() {
			b.WriteString(text.Printable(line) + "\n")
		}
	}
	for _, f := range r.Findings {
		b.WriteString(text.Printable("note: "+f.Repository+": "+f.Message) + "\n")
	}
	fmt.Fprintf(&b, "%s, %d to change", text.Count(r.Totals.Repositories, "repository"), r.Totals.Changes)
	if c.command == "attach" {
		b.WriteString(": " + counts(r.Totals.Counts))
	}
	if _, err := fmt.Fprintln(c.Stderr, b.String()); err != nil {
		return exit.Failuref("write the plan: %w", err)
	}
	return nil
}

// lines describe one repository: the change, the rules that are added and removed, and
// the images in use that ECR would remove.
func (r *changedRepository) lines() []string {
	line := fmt.Sprintf("%s: %s", r.Name, r.Change)
	switch {
	case r.Message != "":
		line += ": " + r.Message
	case r.Change == attach.Attach || r.Change == attach.Replace:
		line += "; " + counts(r.Counts)
	}
	lines := []string{line}
	for _, d := range r.Difference {
		lines = append(lines, fmt.Sprintf("  %s %s", d.Sign, d.Rule))
	}
	if r.InUseUnknown != "" {
		lines = append(lines, "  it is not known which images are in use: "+r.InUseUnknown)
	}
	for _, im := range r.Images {
		if len(im.UsedBy) > 0 && im.BlockedBy == "" {
			lines = append(lines, fmt.Sprintf("  in use: %s %s, %s by rule %d: %s",
				text.ShortDigest(im.ImageDigest), text.Tags(im.ImageTags), im.Verdict, im.AppliedRulePriority, strings.Join(im.UsedBy, ", ")))
		}
	}
	return lines
}

// counts says what ECR would do.
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

// print writes the report to the standard output. If it cannot, it prints what was done
// on the standard error stream.
func (c *change) print() error {
	r := c.report()
	err := c.Print("report", text.JSON(r), r.table)
	if err != nil {
		c.Notef("%s", r.totals())
	}
	return err
}

// printJSON is print if the output is JSON. In words, the user has seen the plan.
func (c *change) printJSON() error {
	if asJSON, err := c.JSON(); err != nil || !asJSON {
		return err
	}
	return c.print()
}

func (r *changeReport) table() string {
	t := text.NewTable()
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		t.Row(repository.Name, cmp.Or(string(repository.Outcome), string(repository.Change)), repository.Message)
	}
	return t.String() + r.totals() + "\n"
}

func (r *changeReport) totals() string {
	t := r.Totals
	return fmt.Sprintf("%s: %d attached, %d detached, %d failed", text.Count(t.Repositories, "repository"), t.Attached, t.Detached, t.Failed)
}

package review

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// table returns the two plans, a line for each image and repository that differs, and the
// totals.
func (d *Difference) table(on terminal.Terminal, now time.Time) string {
	var out text.Lines
	out.Addf("from: %s", d.From.line(now))
	out.Addf("to:   %s", d.To.line(now))
	out.Addf("")
	t := text.NewTable(text.Column{}, text.Column{Name: "REPOSITORY", Middle: true}, text.Column{Name: "IMAGE"}, text.Column{Name: "TAGS", Cut: 1},
		text.Column{Name: "SIZE", Number: true, Cut: 3}, text.Column{Name: "AFTER"}, text.Column{Name: "BEFORE", Cut: 2})
	for _, change := range []struct {
		sign   string
		images []Image
	}{{"+", d.Added}, {"-", d.Removed}, {"~", d.Changed}} {
		for _, im := range change.images {
			t.Row(change.sign, im.Repository, text.ShortDigest(im.ImageDigest), text.Tags(im.ImageTags),
				size(im.ImageSizeInBytes), text.Days(im.After.line()), text.Days(im.Before.line()))
		}
	}
	for _, r := range d.Repositories {
		t.Row("~", r.Name, "repository", "", "", r.After, r.Before)
	}
	if rows := t.Fit(on, "-o json"); rows != "" {
		out.WriteString(rows + "\n")
	}
	out.Addf("%s", d.totals())
	return out.String()
}

func (s *Side) line(now time.Time) string {
	name := s.File
	if name == "" {
		name = "now"
	}
	return fmt.Sprintf("%s, %s: %s to remove, at most %s", name, origin(s.report, now), text.Count(s.Images, "image"), size(s.Bytes))
}

func (s *State) line() string {
	why := awserror.Clean(text.ShortDigests(s.Why))
	if !s.Removed {
		return why
	}
	if s.AppliedRulePriority > 0 {
		why = fmt.Sprintf("rule %d: %s", s.AppliedRulePriority, why)
	}
	switch {
	case plan.Archives(s.Verdict, s.OnExpire):
		return "archive, " + why
	case len(s.Untag) > 0:
		return fmt.Sprintf("untag %s, %s", text.Tags(s.Untag), why)
	}
	return fmt.Sprintf("%s, %s", s.Verdict, why)
}

func (d *Difference) totals() string {
	if d.differences() == 0 {
		return fmt.Sprintf("no difference: both would remove the same %s", text.Count(d.To.Images, "image"))
	}
	return fmt.Sprintf("%d more to remove (at most %s), %d no longer (at most %s), %d for another reason; %s changed",
		len(d.Added), size(d.AddedBytes), len(d.Removed), size(d.RemovedBytes), len(d.Changed), text.Count(len(d.Repositories), "repository"))
}

func size(bytes int64) string { return humanize.Bytes(uint64(max(bytes, 0))) }

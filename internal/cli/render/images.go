package render

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Images returns the screen with a line for each image, skipped repository and finding. Of the
// skipped repositories, it has the images of those that exceed a limit.
func (s Screen) Images(r *report.Report) string {
	if r.Mode == config.References {
		return s.written(r)
	}
	columns := []text.Column{
		{Name: "REPOSITORY", Middle: true, Readable: 16},
		{Name: "IMAGE", Short: func(digest string) string { return strings.TrimPrefix(digest, "sha256:") }},
		{Name: "TAGS", Cut: 1, Readable: 8},
		{Name: "VERDICT", Cut: 2},
		{Name: "RULE", Number: true, Cut: 3},
		{Name: "WHY", Readable: 36},
		{Name: "OUTCOME"},
	}
	if s.On.Width > 0 {
		columns = columns[:len(columns)-1]
	}
	images := text.NewTable(columns...)
	var skipped, out text.Lines
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		if repository.Skipped != "" {
			skipped.Addf("%s: skipped: %s: %s", repository.Name, repository.Skipped, awserror.Clean(WhySkipped(r, repository)))
		}
		for j := range repository.Images {
			im := &repository.Images[j]
			did := outcome(im)
			if repository.Skipped != "" {
				did = "kept: " + string(repository.Skipped)
			}
			why := text.Days(text.ShortDigests(im.Reason))
			if s.On.Width > 0 {
				why = withOutcome(why, text.ShortDigests(did))
			}
			images.Row(repository.Name, text.ShortDigest(im.ImageDigest), text.Tags(im.ImageTags), string(im.Verdict),
				text.Number(im.AppliedRulePriority), why, text.ShortDigests(did))
		}
	}
	s.header(&out, r)
	if table := images.Fit(s.On, "a pipe"); table != "" {
		out.WriteString(table + "\n")
	}
	before := out.Len()
	out.WriteString(skipped.String())
	for _, f := range r.Findings {
		out.Addf("%s", findingLine(f))
	}
	lines := summed(r)
	if out.Len() > before {
		out.WriteString("\n")
	}
	s.last(&out, r, lines)
	return text.Fold(out.String(), s.On.Width)
}

func findingLine(f finding.Finding) string {
	line := inWords(string(f.Kind), f.Message)
	if f.Repository != "" {
		line = f.Repository + ": " + line
	}
	if f.Kind.Failure() != "" {
		return "failed: " + line
	}
	return "note: " + line
}

// withOutcome returns the reason after an outcome that does not follow from it.
func withOutcome(why, outcome string) string {
	switch {
	case why == "":
		return outcome
	case outcome == wouldBeRemoved:
		return why
	}
	return outcome + "; " + why
}

func outcome(im *report.Image) string {
	switch {
	case len(im.ProtectedBy) > 0:
		return "protected by " + strings.Join(protectedBy(im), ", ")
	case im.Message != "":
		return string(im.Outcome) + ": " + text.Clip(awserror.Clean(im.Message))
	case im.Outcome == plan.Untagged:
		return "lost " + text.Tags(im.Untag)
	case im.Outcome != "":
		return string(im.Outcome)
	}
	return removes(im)
}

func protectedBy(im *report.Image) []string {
	by := make([]string, len(im.ProtectedBy))
	for i, p := range im.ProtectedBy {
		by[i] = p.String()
	}
	return by
}

// CSV writes the images of the report, with their fields in the JSON form.
func CSV(w io.Writer, r *report.Report) error {
	out := csv.NewWriter(w)
	err := out.Write([]string{
		"account", "region", "repository", "policy", "skipped", "imageDigest", "imageTags", "verdict", "appliedRulePriority", "reason",
		"protectedBy", "onExpire", "untag", "outcome", "message", "imagePushedAt", "lastRecordedPullTime", "imageSizeInBytes",
	})
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		for j := range repository.Images {
			if err == nil {
				err = out.Write(cells(r, repository, &repository.Images[j]))
			}
		}
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

func cells(r *report.Report, repository *report.Repository, im *report.Image) []string {
	rule := ""
	if im.AppliedRulePriority != 0 {
		rule = strconv.Itoa(im.AppliedRulePriority)
	}
	row := []string{
		r.Account, r.Region, repository.Name, repository.Policy, string(repository.Skipped), im.ImageDigest, strings.Join(im.ImageTags, " "),
		string(im.Verdict), rule, im.Reason, strings.Join(protectedBy(im), ", "), string(im.OnExpire), strings.Join(im.Untag, " "),
		string(im.Outcome), im.Message, instant(im.ImagePushedAt), instant(im.LastRecordedPullTime), strconv.FormatInt(im.ImageSizeInBytes, 10),
	}
	for i, cell := range row {
		row[i] = plain(cell)
	}
	return row
}

// plain makes a cell printable. A spreadsheet would run a cell that begins like a formula.
func plain(cell string) string {
	if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
		cell = "'" + cell
	}
	return text.Printable(cell)
}

func instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

const wouldBeRemoved = "would be removed"

// removes describes the verdict on an image that has no outcome.
func removes(im *report.Image) string {
	switch {
	case im.Verdict == evaluator.Untag:
		return "would lose " + text.Tags(im.Untag)
	case im.Archives():
		return "would be archived"
	}
	return wouldBeRemoved
}

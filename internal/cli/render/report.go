// Package render turns the report of a run into text: a table of images and skipped
// repositories, the totals, and why the run is incomplete. It writes nothing.
package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Report returns one line for each image, skipped repository and finding, and the totals.
// Only the JSON output has the images of skipped repositories.
func Report(r *report.Report) string {
	images := text.NewTable("REPOSITORY", "IMAGE", "TAGS", "VERDICT", "RULE", "WHY", "OUTCOME")
	skipped := text.NewTable()
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		if repository.Skipped != "" {
			skipped.Row(repository.Name, "skipped", string(repository.Skipped), awserror.Clean(WhySkipped(r, repository)))
			continue
		}
		for _, im := range repository.Images {
			images.Row(repository.Name, text.ShortDigest(im.ImageDigest), text.Tags(im.ImageTags), string(im.Verdict),
				text.Number(im.AppliedRulePriority), text.ShortDigests(im.Reason), text.ShortDigests(outcome(im)))
		}
	}
	var out text.Lines
	if table := images.String(); table != "" {
		out.WriteString(table + "\n")
	}
	out.WriteString(skipped.String())
	for _, f := range r.Findings {
		if f.Repository != "" {
			f.Message = f.Repository + ": " + f.Message
		}
		out.Addf("note: %s", awserror.Clean(f.Message))
	}
	out.Addf("%s", Totals(r))
	return out.String()
}

func outcome(im report.Image) string {
	switch {
	case len(im.ProtectedBy) > 0:
		by := make([]string, len(im.ProtectedBy))
		for i, p := range im.ProtectedBy {
			by[i] = p.String()
		}
		return "protected by " + strings.Join(by, ", ")
	case im.Message != "":
		return string(im.Outcome) + ": " + text.Clip(awserror.Clean(im.Message))
	case im.Outcome == plan.Untagged:
		return "lost " + text.Tags(im.Untag)
	case im.Outcome != "":
		return string(im.Outcome)
	case im.Verdict == evaluator.Untag:
		return "would lose " + text.Tags(im.Untag)
	case im.Archives():
		return "would be archived"
	}
	return "would be removed"
}

// Totals returns one line.
func Totals(r *report.Report) string {
	t := r.Totals
	removals, bytes := r.Removals()
	line := fmt.Sprintf("%s (%d skipped), %s: %d to remove, %d protected",
		text.Count(t.Repositories, "repository"), t.Skipped, text.Count(t.Evaluated, "image"), removals, t.Protected)
	if more := t.Expired + t.Transitioned + t.Untagged + t.Followed - removals; more > 0 {
		line += fmt.Sprintf(", %d more in skipped repositories", more)
	}
	if r.Mode == config.Apply {
		bytes = t.DeletedBytes
		line += fmt.Sprintf("; %d deleted, %d archived, ", t.Deleted, t.Archived)
		if t.TagsRemoved > 0 {
			line += fmt.Sprintf("%d lost tags, ", t.TagsRemoved)
		}
		line += fmt.Sprintf("%d blocked, %d changed, %d gone, %d failed", t.Blocked, t.Changed, t.Gone, t.Failed)
		if t.Unknown > 0 {
			line += fmt.Sprintf(", %d unknown", t.Unknown)
		}
		if t.NotAttempted > 0 {
			line += fmt.Sprintf(", %d not attempted", t.NotAttempted)
		}
	}
	return line + fmt.Sprintf("; at most %s (images share layers)", humanize.Bytes(uint64(max(bytes, 0))))
}

// Incomplete says which repositories of an incomplete run failed or were skipped. If there
// are none, it names the other failures, such as that of an in-use source.
func Incomplete(r *report.Report) string {
	undone := r.Undone()
	bad := map[string]bool{}
	for _, f := range r.Findings {
		if f.Kind.Failure() != "" && f.Repository != "" {
			bad[f.Repository] = true
		}
	}
	for _, repository := range r.Repositories {
		limited := repository.Skipped == plan.SkipLimit && r.Mode == config.Apply
		if limited || undone[string(repository.Skipped)] > 0 || repository.Failed+repository.Unknown+repository.NotAttempted > 0 {
			bad[repository.Name] = true
		}
	}
	if len(bad) > 0 {
		return IncompleteIn(slices.Sorted(maps.Keys(bad)))
	}
	reasons := []string{}
	for _, reason := range slices.Sorted(maps.Keys(undone)) {
		reasons = append(reasons, fmt.Sprintf("%d %s", undone[reason], reason))
	}
	return strings.TrimSuffix("incomplete: "+strings.Join(reasons, ", "), ": ")
}

// IncompleteIn says that the repositories failed or were skipped, and names three.
func IncompleteIn(repositories []string) string {
	const most = 3
	named := strings.Join(repositories[:min(len(repositories), most)], ", ")
	if more := len(repositories) - most; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	n := len(repositories)
	return fmt.Sprintf("incomplete: %s failed or %s skipped: %s", text.Count(n, "repository"), english.PluralWord(n, "was", "were"), named)
}

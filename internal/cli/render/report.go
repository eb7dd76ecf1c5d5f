// Package render turns the report of a run into text: a screen with a line for each
// repository, or a table or a spreadsheet with a line for each image. It also says why a run
// is incomplete.
package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

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
	what, _ := whatFailed(r, undone)
	return strings.TrimSuffix("incomplete: "+strings.Join(what, ", "), ": ")
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

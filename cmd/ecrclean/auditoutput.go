package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
)

// printAudit writes a table for each run, and the totals. Digests are whole: this
// is what an image is pushed again, or looked for elsewhere, by.
func printAudit(w io.Writer, a *audit.Audit) error {
	for i := range a.Runs {
		run := &a.Runs[i]
		if err := printAuditedRun(w, run); err != nil {
			return err
		}
		end := ""
		if !run.Finished {
			end = "; its end is not in the log"
		}
		fmt.Fprintf(w, "run %s: %s%s\n\n", printable(cmp.Or(run.ID, "-")), auditTotals(run.Totals), end)
	}
	_, err := fmt.Fprintf(w, "%d runs: %s\n", len(a.Runs), auditTotals(a.Totals))
	return err
}

func printAuditedRun(w io.Writer, run *audit.Run) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if run.Totals.Listed() > 0 {
		fmt.Fprintln(t, "OUTCOME\tTIME\tREPOSITORY\tIMAGE\tTAGS\tPUSHED\tBYTES\tRULE\tPOLICY\tRUN")
	}
	for i := range run.Removed {
		auditRow(t, &run.Removed[i], run.Removed[i].Outcome)
	}
	for i := range run.Unconfirmed {
		auditRow(t, &run.Unconfirmed[i], run.Unconfirmed[i].Outcome+", unconfirmed")
	}
	for i := range run.Unknown {
		auditRow(t, &run.Unknown[i], "unknown")
	}
	return t.Flush()
}

func auditRow(w io.Writer, im *audit.Image, outcome string) {
	rule, tags := "-", im.ImageTags
	if im.AppliedRulePriority > 0 {
		rule = fmt.Sprint(im.AppliedRulePriority)
	}
	if len(im.Untag) > 0 {
		tags = im.Untag
	}
	cells := []string{
		outcome, timeCell(im.Time), im.Repository, im.ImageDigest, tagsCell(tags), timeCell(im.ImagePushedAt),
		fmt.Sprint(im.ImageSizeInBytes), rule, cmp.Or(im.Policy, "-"), cmp.Or(im.RunID, "-"),
	}
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

func timeCell(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

func auditTotals(t audit.Totals) string {
	return fmt.Sprintf("%d deleted, %d archived, %d untagged, %d unconfirmed, %d unknown; not removed: %d blocked, %d changed, %d gone, %d failed, %d not attempted",
		t.Deleted, t.Archived, t.TagsRemoved, t.Unconfirmed, t.Unknown, t.Blocked, t.Changed, t.Gone, t.Failed, t.NotAttempted)
}

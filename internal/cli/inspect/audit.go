package inspect

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// Audit returns the command audit.
func Audit(f *session.Flags) *cobra.Command {
	var run string
	c := &cobra.Command{
		Use:   "audit FILE",
		Short: "List what runs removed, from their log",
		Long: `List the images that runs removed, from the log in FILE, or - for the standard input.
The log is that of the function, or the file that apply and delete write with --log.
audit calls no AWS service.

  deleted, archived, untagged    ECR confirmed it
  deleted, unconfirmed           ECR did not answer, and later the image was
                                 gone; archived and untagged likewise
  unknown                        it may have been removed: the process ended
                                 during the call, or ECR did not answer and
                                 the image was not found removed

Other images are only counted. The log may be as CloudWatch Logs keeps or exports it:
with lines of other programs, with text before the JSON, or inside the events that
"aws logs filter-log-events" prints. Keep its order, and give each line once.`,
		Args: session.Args(1, 1, "a log file, or - for the standard input"),
		RunE: func(_ *cobra.Command, args []string) error { return auditLog(f, args[0], run) },
	}
	f.AddOutput(c, session.Table, session.JSON)
	c.Flags().StringVar(&run, "run", "", "only the run of this id or the beginning of one, or the last run for: last")
	return c
}

func auditLog(f *session.Flags, name, run string) error {
	r, err := f.OpenInput(name)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	log, err := env.Decoded(r)
	if err != nil {
		return exit.Usagef("read %s: %w", name, err)
	}
	return AuditLog(f, name, log, run)
}

// ErrNoRun means that a text has no line of a run.
var ErrNoRun = errors.New("has no line of a run")

// AuditLog prints the audit of a log in UTF-8, of one run if run is not "", see [audit.Read]. Name is that of
// the log in messages.
func AuditLog(f *session.Flags, name string, log io.Reader, run string) error {
	a, err := audit.Read(log, run)
	if err != nil {
		return exit.Usagef("read %s: %w", name, err)
	}
	for _, fault := range a.Lines.Faults {
		f.Notef("line %d %s", fault.Line, fault.Message)
	}
	unreadable := text.Count(a.Lines.Unreadable, "line")
	if a.Lines.Unreadable > 0 {
		f.Notef("cannot read %s; images may be missing here", unreadable)
	}
	if a.Lines.Others > 0 {
		f.Notef("ignored %s of other programs", text.Count(a.Lines.Others, "line"))
	}
	switch none := len(a.Runs) == 0 && a.Lines.Unreadable == 0; {
	case run != "" && len(a.Runs) > 1:
		ids := make([]string, len(a.Runs))
		for i := range a.Runs {
			ids[i] = a.Runs[i].ID
		}
		return exit.Usagef("--run %s: %d runs of %s begin with it: %s; give more of the id, or --run %s",
			run, len(ids), name, strings.Join(words.Few(ids), ", "), audit.Last)
	case none && (run == "" || run == audit.Last):
		return exit.Usagef("%s %w; give the log of the function, or a file of --log; "+
			"a saved plan or a report is for ecrclean show", name, ErrNoRun)
	case none:
		return exit.Usagef("%s has no line of the run %s; leave out --run to see which runs it has", name, run)
	}
	err = f.Print("audit", text.JSON(a), func(on terminal.Terminal) string { return auditTable(&a, on) })
	if err == nil && a.Lines.Unreadable > 0 {
		return exit.Incompletef("incomplete: cannot read %s of the log", unreadable)
	}
	return err
}

// auditTable has complete digests where they fit: the reader may have to find the images
// elsewhere.
func auditTable(a *audit.Audit, on terminal.Terminal) string {
	var out text.Lines
	for _, run := range a.Runs {
		t := text.NewTable(text.Column{Name: "OUTCOME"}, text.Column{Name: "TIME", Cut: 2}, text.Column{Name: "REPOSITORY", Middle: true, Readable: 20},
			text.Column{Name: "IMAGE", Short: text.ShortDigest}, text.Column{Name: "TAGS", Cut: 3}, text.Column{Name: "PUSHED", Cut: 5},
			text.Column{Name: "SIZE", Number: true, Cut: 4, Short: shortSize}, text.Column{Name: "RULE", Number: true, Cut: 1}, text.Column{Name: "POLICY", Cut: 6}, text.Column{Name: "RUN", Cut: 7})
		for _, im := range run.Removed {
			auditRow(t, im, im.Outcome)
		}
		for _, im := range run.Unconfirmed {
			auditRow(t, im, im.Outcome+", unconfirmed")
		}
		for _, im := range run.Unknown {
			auditRow(t, im, "unknown")
		}
		end := ""
		if !run.Finished {
			end = "; its end is not in the log"
		}
		out.WriteString(t.Fit(on, "-o json"))
		out.Addf("run %s: %s%s", cmp.Or(run.ID, "-"), auditTotals(run.Totals), end)
		if run.End != nil {
			out.Addf("run %s: %s", cmp.Or(run.ID, "-"), endOfRun(run.End))
		}
		out.Addf("")
	}
	out.Addf("%s: %s", text.Count(len(a.Runs), "run"), auditTotals(a.Totals))
	return out.String()
}

func auditRow(t *text.Table, im audit.Image, outcome string) {
	tags := im.ImageTags
	if len(im.Untag) > 0 {
		tags = im.Untag
	}
	t.Row(outcome, text.Time(im.Time), im.Repository, im.ImageDigest, text.Tags(tags), text.Time(im.ImagePushedAt),
		fmt.Sprint(im.ImageSizeInBytes), text.Number(im.AppliedRulePriority), cmp.Or(im.Policy, "-"), cmp.Or(im.RunID, "-"))
}

func shortSize(bytes string) string {
	n, err := strconv.ParseUint(bytes, 10, 64)
	if err != nil {
		return bytes
	}
	return humanize.Bytes(n)
}

// endOfRun returns the time, the account, the Region and the counts of a run.
func endOfRun(end *audit.End) string {
	t := end.Totals
	line := fmt.Sprintf("mode %s, account %s, %s, ended %s: %s (%d skipped), %s, %d marked to remove, %d protected",
		end.Mode, cmp.Or(end.Account, "-"), end.Region, text.Time(end.Time), text.Count(int(t["repositories"]), "repository"), t["skipped"],
		text.Count(int(t["evaluated"]), "image"), t["expired"]+t["transitioned"]+t["untagged"]+t["followed"], t["protected"])
	if end.Mode == string(config.Apply) {
		line += fmt.Sprintf(", at most %s deleted", humanize.Bytes(uint64(max(t["deletedBytes"], 0))))
	}
	if !end.Incomplete {
		return line
	}
	var causes []string
	for _, cause := range slices.Sorted(maps.Keys(end.Undone)) {
		causes = append(causes, fmt.Sprintf("%s: %d", cause, end.Undone[cause]))
	}
	return strings.TrimSuffix(line+"; incomplete: "+strings.Join(causes, ", "), ": ")
}

func auditTotals(t audit.Totals) string {
	return fmt.Sprintf("%d deleted, %d archived, %d untagged, %d unconfirmed, %d unknown; not removed: %d blocked, %d changed, %d gone, %d failed, %d not attempted",
		t.Deleted, t.Archived, t.TagsRemoved, t.Unconfirmed, t.Unknown, t.Blocked, t.Changed, t.Gone, t.Failed, t.NotAttempted)
}

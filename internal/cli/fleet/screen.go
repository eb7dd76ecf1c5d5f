package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	records "github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

const (
	most    = 40 // targets, all of which are shown
	largest = 20 // those of more targets that are shown
)

// Screen returns the report for a person. Of more than 40 targets it has the largest 20, and
// the first failed and skipped ones, unless wide is true.
func Screen(r *records.Report, on terminal.Terminal, wide bool) string {
	var out text.Lines
	what := strings.TrimSpace(string(r.Mode) + " " + r.Execution)
	out.Addf("%s of %s: %d done, %d skipped, %d failed", what, text.Count(r.Expected, "target"), r.Done, r.Skipped, r.Failed)
	shown, all := slices.Clone(r.Targets), wide || len(r.Targets) <= most
	shown = slices.DeleteFunc(shown, func(t records.TargetEnd) bool { return t.Outcome == records.Omitted })
	if !all {
		slices.SortStableFunc(shown, func(a, b records.TargetEnd) int {
			return cmp.Or(cmp.Compare(removals(r.Mode, b), removals(r.Mode, a)), cmp.Compare(images(b), images(a)))
		})
	}
	hidden := 0
	if !all && len(shown) > largest {
		hidden, shown = len(shown)-largest, shown[:largest]
	}
	if len(shown) > 0 {
		out.Addf("")
		out.WriteString(table(r, shown, on))
	}
	if hidden > 0 {
		out.Addf("(the %d largest; %d more targets: -o wide or -o json shows all)", largest, hidden)
	}
	out.Addf("")
	problems(&out, r, all)
	out.Addf("%s", totals(r))
	return out.String()
}

func images(t records.TargetEnd) int {
	if t.Totals == nil {
		return 0
	}
	return t.Totals.Evaluated
}

// removals returns the number of images that a target would remove or, in mode apply, has removed.
func removals(mode config.Mode, t records.TargetEnd) int {
	switch {
	case t.Totals == nil:
		return 0
	case mode == config.Apply:
		return t.Totals.Deleted + t.Totals.Archived + t.Totals.TagsRemoved
	}
	return t.Totals.Removals()
}

func table(r *records.Report, targets []records.TargetEnd, on terminal.Terminal) string {
	removed, size := "REMOVE", "AT MOST"
	if r.Mode == config.Apply {
		removed = "REMOVED"
	}
	t := text.NewTable(text.Column{Name: "ACCOUNT", Whole: true}, text.Column{Name: "REGION", Whole: true},
		text.Column{Name: "REPOS", Number: true, Cut: 1}, text.Column{Name: "IMAGES", Number: true},
		text.Column{Name: removed, Number: true, Style: terminal.Red}, text.Column{Name: size, Number: true}, text.Column{Name: "OUTCOME"})
	for _, end := range targets {
		if end.Totals == nil || end.Outcome == records.Failed && end.Totals.Repositories == 0 { // they are not known
			t.Row(end.Account, end.Region, "-", "-", "-", "-", string(end.Outcome))
			continue
		}
		t.Row(end.Account, end.Region, humanize.Comma(int64(end.Totals.Repositories)), humanize.Comma(int64(images(end))),
			humanize.Comma(int64(removals(r.Mode, end))), bytes(r.Mode, end.Totals.ReclaimableBytes, end.Totals.DeletedBytes), string(end.Outcome))
	}
	return t.Fit(on, "-o json")
}

func bytes(mode config.Mode, reclaimable, deleted int64) string {
	if mode == config.Apply {
		reclaimable = deleted
	}
	return humanize.Bytes(uint64(max(reclaimable, 0)))
}

// problems adds the skipped and failed targets, and the places that could not be asked.
func problems(out *text.Lines, r *records.Report, all bool) {
	var failed, unasked []string
	skipped := map[string][]string{}
	for _, t := range r.Targets {
		where := strings.TrimSuffix(t.Account+"/"+t.Region, "/")
		switch t.Outcome {
		case records.Done:
		case records.Failed:
			failed = append(failed, where+": "+t.Message)
		case records.Omitted:
			skipped[t.Message] = append(skipped[t.Message], where)
		}
	}
	for _, p := range r.Places {
		if p.Outcome == records.Failed {
			line := strings.TrimSuffix(p.Account+"/"+p.Region, "/") + ": " + p.Message
			if slices.Contains(failed, line) {
				line = strings.TrimSuffix(line, p.Message) + "for the same reason"
			}
			unasked = append(unasked, line)
		}
	}
	list(out, "failed", failed, all)
	list(out, "could not be asked what is in use", unasked, all)
	for _, reason := range slices.Sorted(maps.Keys(skipped)) {
		where := strings.Join(skipped[reason], ", ")
		if n := len(skipped[reason]); !all && n > 3 {
			where = text.Count(n, "target")
		}
		out.Addf("skipped: %s: %s", where, reason)
	}
}

func list(out *text.Lines, what string, lines []string, all bool) {
	for i, line := range lines {
		if !all && i == largest {
			out.Addf("%s: %d more; -o wide or -o json shows all", what, len(lines)-largest)
			return
		}
		out.Addf("%s: %s", what, line)
	}
}

func totals(r *records.Report) string {
	verb := "would remove"
	if r.Mode == config.Apply {
		verb = "removed"
	}
	sum := records.TargetEnd{Totals: &r.Totals}
	return fmt.Sprintf("%s %s of %s in %s, at most %s", verb, text.Count(removals(r.Mode, sum), "image"),
		humanize.Comma(int64(r.Totals.Evaluated)), text.Count(r.Totals.Repositories, "repository"),
		bytes(r.Mode, r.Totals.ReclaimableBytes, r.Totals.DeletedBytes))
}

package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// last adds the five lines that end every run.
func (s Screen) last(out *text.Lines, r *report.Report, lines []summedRepository) {
	add := func(style terminal.Style, label, line string) {
		out.WriteString(s.On.Paint(style, fmt.Sprintf("%-12s", label)) + text.Printable(line) + "\n")
	}
	if r.Mode == config.Apply {
		add(terminal.Red, "deleted", deleted(r, lines))
	} else {
		add(terminal.Red, "to delete", toDelete(r, lines))
	}
	add(terminal.Green, "protected", protected(r))
	add(terminal.Bold, "skipped", skipped(r))
	add(terminal.Bold, "saves", s.saves(r))
	style := terminal.Bold
	if r.Incomplete {
		style = terminal.Red
	}
	add(style, "failed", failed(r))
}

func toDelete(r *report.Report, lines []summedRepository) string {
	images, _ := removals(r)
	archive, untag, in := 0, 0, 0
	for i := range lines {
		if l := &lines[i]; l.Skipped == "" {
			archive, untag = archive+l.archive, untag+l.untag
			if l.delete > 0 {
				in++
			}
		}
	}
	images -= archive + untag
	line := count(images, "image")
	if in > 0 {
		line += " in " + count(in, "repository")
	}
	return line + counted("; also ", []counting{{archive, "to archive"}, {untag, "to lose tags"}})
}

func deleted(r *report.Report, lines []summedRepository) string {
	t, in := r.Totals, 0
	for i := range lines {
		if lines[i].Deleted > 0 {
			in++
		}
	}
	line := count(t.Deleted, "image")
	if in > 0 {
		line += " in " + count(in, "repository")
	}
	line += counted("; also ", []counting{{t.Archived, "archived"}, {t.TagsRemoved, "lost tags"}})
	return line + counted("; not done: ", []counting{
		{t.Failed, "failed"}, {t.Unknown, "unknown"}, {t.NotAttempted, "not attempted"}, {t.Blocked, "blocked"}, {t.Changed, "changed"}, {t.Gone, "gone"},
	})
}

// A counting is a number of images and their state.
type counting struct {
	n    int
	what string
}

// counted lists the countings that are not 0 after the prefix, or returns "".
func counted(prefix string, all []counting) string {
	var parts []string
	for _, c := range all {
		if c.n != 0 {
			parts = append(parts, humanize.Comma(int64(c.n))+" "+c.what)
		}
	}
	if parts == nil {
		return ""
	}
	return prefix + strings.Join(parts, ", ")
}

// removals returns what Removals returns, also for a report that lacks repositories.
func removals(r *report.Report) (images int, bytes int64) {
	if r.Omitted == nil || r.Omitted.Repositories == 0 {
		return r.Removals()
	}
	t := r.Totals
	images, bytes = t.Removals(), t.ReclaimableBytes
	for i := range r.Repositories {
		if repository := &r.Repositories[i]; repository.Skipped != "" {
			images, bytes = images-repository.Removals(), bytes-repository.ReclaimableBytes
		}
	}
	return images, bytes
}

// protections are the kinds of protection in words.
var protections = map[plan.ProtectionKind]string{
	plan.ByInUse: "in use", plan.ByTagPattern: "tag pattern", plan.ByKeepNewest: "newest",
	plan.ByPulledWithinDays: "pulled recently", plan.ByPushedWithinHours: "pushed recently",
	plan.ByChild: "child of a kept index", plan.BySubject: "referrer of a kept image",
	plan.ByOrphan: "orphan", plan.ByUnreadableIndex: "perhaps child of an unreadable index",
}

// protected counts each protected image once, by the first of its protections.
func protected(r *report.Report) string {
	kinds, known := map[string]int{}, 0
	for i := range r.Repositories {
		for j := range r.Repositories[i].Images {
			if by := r.Repositories[i].Images[j].ProtectedBy; len(by) > 0 {
				kinds[cmp.Or(protections[by[0].Kind], string(by[0].Kind))]++
				known++
			}
		}
	}
	if unknown := r.Totals.Protected - known; unknown > 0 && known > 0 {
		kinds["not in this report"] = unknown
	}
	return count(r.Totals.Protected, "image") + byKind(kinds)
}

// byKind lists the numbers, the largest first.
func byKind(kinds map[string]int) string {
	order := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int {
		return cmp.Or(cmp.Compare(kinds[b], kinds[a]), cmp.Compare(a, b))
	})
	for i, kind := range order {
		order[i] = kind + " " + humanize.Comma(int64(kinds[kind]))
	}
	return strings.TrimSuffix(": "+strings.Join(order, ", "), ": ")
}

func skipped(r *report.Report) string {
	codes, known := map[string]int{}, 0
	for i := range r.Repositories {
		if code := r.Repositories[i].Skipped; code != "" {
			codes[string(code)]++
			known++
		}
	}
	if unknown := r.Totals.Skipped - known; unknown > 0 {
		codes["not in this report"] = unknown
	}
	return fmt.Sprintf("%s of %s%s", humanize.Comma(int64(r.Totals.Skipped)), count(r.Totals.Repositories, "repository"), byKind(codes))
}

// saves says how much storage the run frees. Archived images save nothing below 150 TB.
func (s Screen) saves(r *report.Report) string {
	_, bytes := removals(r)
	if r.Mode == config.Apply {
		bytes = r.Totals.DeletedBytes
	}
	usd, known := s.price(r)
	if !known {
		return fmt.Sprintf(`at most %s (images share layers; for dollars, set "price" in the configuration: the price in %s is not known)`, size(bytes), r.Region)
	}
	unit := strconv.FormatFloat(usd, 'f', 2, 64)
	if rounded, err := strconv.ParseFloat(unit, 64); err != nil || rounded != usd {
		unit = strconv.FormatFloat(usd, 'f', -1, 64)
	}
	return fmt.Sprintf("at most %s and %s a month (images share layers; $%s per GB-month)", size(bytes), s.dollars(r, bytes), unit)
}

// remedies say what to do about the causes of Undone.
var remedies = map[string]string{
	string(plan.SkipFailed):        "correct what the message says, and run again",
	string(plan.SkipScanFailed):    "make the in-use source answer, and run again",
	"in-use sources":               "make the in-use source answer, and run again",
	string(plan.SkipDeadline):      "give a longer --deadline, and run again",
	string(plan.SkipInvalidPolicy): "replace the attached policy: ecrclean attach --policy FILE",
	"images unknown":               "see with ecrclean plan which images are left",
	"faults of the program":        "please report it with the output of -o json",
}

// failed says what failed and what to do.
func failed(r *report.Report) string {
	undone := r.Undone()
	if len(undone) == 0 {
		switch {
		case r.Incomplete:
			return "the shortened report lacks what failed; see the log of the run"
		case !r.Handled():
			return "nothing, but a limit keeps images: see above"
		}
		return "nothing failed"
	}
	var causes, todo []string
	for _, cause := range slices.Sorted(maps.Keys(undone)) {
		causes = append(causes, causeWords(cause, undone[cause]))
		if remedy := cmp.Or(remedies[cause], "run again"); !slices.Contains(todo, remedy) {
			todo = append(todo, remedy)
		}
	}
	return strings.Join(causes, ", ") + "; " + strings.Join(todo, "; ")
}

// causeWords describes a cause of Undone and its number.
func causeWords(cause string, n int) string {
	noun, what := "", cause
	switch first, rest, _ := strings.Cut(cause, " "); {
	case plan.SkipCode(cause) == plan.SkipFailed:
		noun = "repository"
	case plan.SkipCode(cause).IsFailure():
		noun, what = "repository", "skipped: "+cause
	case first == "images":
		noun, what = "image", rest
	}
	if noun == "" {
		return humanize.Comma(int64(n)) + " " + what
	}
	return count(n, noun) + " " + what
}

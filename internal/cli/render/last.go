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
	saves := "saves"
	if r.Mode == config.Apply {
		saves = "saved"
		add(terminal.Red, "deleted", deleted(r, lines))
	} else {
		add(terminal.Red, "to delete", toDelete(r, lines))
	}
	add(terminal.Green, "protected", protected(r))
	add(terminal.Bold, "skipped", skipped(r))
	add(terminal.Bold, saves, s.saves(r))
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
	line := fmt.Sprintf("%s of %s%s", humanize.Comma(int64(r.Totals.Skipped)), count(r.Totals.Repositories, "repository"), byKind(codes))
	if codes[string(plan.SkipLimit)] > 0 {
		line += "; for the limits see above"
	}
	return line
}

// saves says how much storage the run frees, and how much limits keep. Archived images save
// nothing below 150 TB.
func (s Screen) saves(r *report.Report) string {
	_, bytes := removals(r)
	if r.Mode == config.Apply {
		bytes = r.Totals.DeletedBytes
	}
	line := "at most " + s.worth(r, bytes)
	if _, more := held(r); more > 0 {
		line += "; limits hold back " + s.worth(r, more)
	}
	usd, known := s.price(r)
	if !known {
		return fmt.Sprintf(`%s (images share layers; for dollars, set "price" in the configuration: the price in %s is not known)`, line, r.Region)
	}
	unit := strconv.FormatFloat(usd, 'f', 2, 64)
	if rounded, err := strconv.ParseFloat(unit, 64); err != nil || rounded != usd {
		unit = strconv.FormatFloat(usd, 'f', -1, 64)
	}
	return fmt.Sprintf("%s (images share layers; $%s per GB-month)", line, unit)
}

// worth returns a size and, if the price is known, what storing it costs.
func (s Screen) worth(r *report.Report, bytes int64) string {
	if dollars := s.dollars(r, bytes); dollars != "" {
		return size(bytes) + " and " + dollars + " a month"
	}
	return size(bytes)
}

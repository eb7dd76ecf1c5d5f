package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A need is the smallest limits that let repositories go. A typed limit replaces that of every
// entry, so a need includes the repositories that no limit skips.
type need config.Limits

func (n *need) add(repository *report.Repository) {
	removals := repository.Removals()
	n.MaxDeletions += removals
	n.MaxDeletionsPerRepository = max(n.MaxDeletionsPerRepository, removals)
	if all := repository.Evaluated; all > 0 {
		n.MaxDeletedPercent = max(n.MaxDeletedPercent, (removals*100+all-1)/all) // rounded up
	}
}

// needs returns the need of the repositories that no limit skips and of those that also accepts.
func needs(r *report.Report, also func(*report.Repository) bool) need {
	var n need
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		if repository.Skipped == "" || repository.Skipped == plan.SkipLimit && also(repository) {
			n.add(repository)
		}
	}
	return n
}

func (n *need) deletions() string { return fmt.Sprintf("--max-deletions %d", n.MaxDeletions) }

func (n *need) perRepository() string {
	return fmt.Sprintf("--max-deletions-per-repository %d", n.MaxDeletionsPerRepository)
}

func (n *need) percent() string { return fmt.Sprintf("--max-deleted-percent %d", n.MaxDeletedPercent) }

// LimitFlag returns the flag of plan and apply that lets a repository go that a limit skips,
// or "". Another limit may still skip it then. A report on a saved plan does not count what
// that plan skipped, so it names no flag.
func LimitFlag(r *report.Report, repository *report.Repository) string {
	if repository.Skipped != plan.SkipLimit || repository.Removals() == 0 {
		return ""
	}
	n := needs(r, func(other *report.Repository) bool { return other.Name == repository.Name })
	switch limit := repository.Message; {
	case strings.Contains(limit, "maxDeletionsPerRepository"):
		return n.perRepository()
	case strings.Contains(limit, "maxDeletedPercent"):
		return n.percent()
	}
	return n.deletions()
}

// WhySkipped says why a repository is skipped, and for a limit which flag raises it.
func WhySkipped(r *report.Report, repository *report.Repository) string {
	if flag := LimitFlag(r, repository); flag != "" {
		return repository.Message + "; raise it with " + flag
	}
	return repository.Message
}

// limitFlags returns the flags with which no limit skips a repository of the report. It names
// only limits that are too small, or all of them if the limits of the run are not known.
func (s Screen) limitFlags(r *report.Report) string {
	n := needs(r, func(*report.Repository) bool { return true })
	small := func(limit func(config.Limits) int, needed int) bool {
		return s.Limits == nil || slices.ContainsFunc(s.Limits, func(l config.Limits) bool { return limit(l) < needed })
	}
	var flags []string
	if small(func(l config.Limits) int { return l.MaxDeletionsPerRepository }, n.MaxDeletionsPerRepository) {
		flags = append(flags, n.perRepository())
	}
	if small(func(l config.Limits) int { return l.MaxDeletions }, n.MaxDeletions) {
		flags = append(flags, n.deletions())
	}
	if small(func(l config.Limits) int { return l.MaxDeletedPercent }, n.MaxDeletedPercent) {
		flags = append(flags, n.percent())
	}
	return strings.Join(flags, " ")
}

// held returns the images and the bytes that limits keep.
func held(r *report.Report) (images int, bytes int64) {
	for i := range r.Repositories {
		if repository := &r.Repositories[i]; repository.Skipped == plan.SkipLimit {
			images, bytes = images+repository.Removals(), bytes+repository.ReclaimableBytes
		}
	}
	return images, bytes
}

// limits adds a line for the repositories that limits skip: their images and bytes, and the
// flags that would let them go. The saved plan of an apply may have skipped some, too.
func (s Screen) limits(out *text.Lines, r *report.Report, lines []summedRepository) {
	var names, saved []string
	for i := range lines {
		switch l := &lines[i]; {
		case !l.limited():
		case l.Removals() == 0:
			saved = append(saved, l.Name)
		default:
			names = append(names, fmt.Sprintf("%s (%s)", l.Name, humanize.Comma(int64(l.Removals()))))
		}
	}
	if len(names) > 0 {
		images, bytes := held(r)
		out.Addf("limit: %s, at most %s, in %s %s kept: %s; %s would allow %s", count(images, "image"), size(bytes), count(len(names), "repository"),
			english.PluralWord(images, "is", "are"), named(names), s.limitFlags(r), english.PluralWord(images, "it", "them"))
	}
	if len(saved) > 0 {
		out.Addf("limit: %s of the saved plan, which a limit skipped, %s: %s; plan again with a higher limit",
			count(len(saved), "repository"), english.PluralWord(len(saved), "stays", "stay"), named(saved))
	}
}

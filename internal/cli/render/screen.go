package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/price"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A Screen prints reports for a person.
type Screen struct {
	On            terminal.Terminal
	Account       string   // of a report without repositories, or "" if it is not known
	Configuration string   // names the configuration or the policy; without it there is no header
	Price         *float64 // of storage, in USD per GB-month; nil for that of package price
	// Limits are those of the run and of the entries of its configuration, or nil if they are
	// not known.
	Limits []config.Limits
}

// Report returns the default screen. It says the most important things first, and has less
// than 40 lines for any number of repositories, unless messages are long.
func (s Screen) Report(r *report.Report) string {
	const most, fewest, around = 12, 5, 9 // lines of repositories, and lines around them
	if r.Mode == config.References {
		return s.written(r)
	}
	lines := summed(r)
	var above, below text.Lines
	s.header(&above, r)
	s.notes(&below, r, lines)
	s.last(&below, r, lines)
	rest := text.Fold(below.String(), s.On.Width)
	if len(lines) > 0 {
		first := min(most, max(fewest, 40-around-strings.Count(rest, "\n")))
		above.WriteString(s.repositories(r, lines, first) + "\n")
	}
	return text.Fold(above.String(), s.On.Width) + rest
}

// header says where the run was and with what, unless the caller has said it.
func (s Screen) header(out *text.Lines, r *report.Report) {
	if s.Configuration != "" {
		line := fmt.Sprintf("account %s, %s; %s", cmp.Or(r.Account, s.Account, "not known"), r.Region, s.Configuration)
		if n, _ := removals(r); r.Mode != config.Apply {
			line += fmt.Sprintf("; %s to remove", humanize.Comma(int64(n)))
		}
		out.Addf("%s", line)
		out.Addf("")
	} else if len(r.Repositories) == 0 && r.Omitted == nil {
		out.Addf("This registry has no repository, or none is selected. If you mean another Region or account, give --region or --profile.")
		out.Addf("")
	}
}

// A summedRepository is a repository with the numbers of images by what happens to them.
type summedRepository struct {
	*report.Repository
	apply                  bool
	delete, archive, untag int
}

// summed returns the repositories in the order of the screen.
func summed(r *report.Report) []summedRepository {
	lines := make([]summedRepository, len(r.Repositories))
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		line := summedRepository{Repository: repository, apply: r.Mode == config.Apply, untag: repository.Untagged}
		for j := range repository.Images {
			if im := &repository.Images[j]; len(im.ProtectedBy) == 0 && im.Archives() {
				line.archive++
			}
		}
		line.archive = max(line.archive, repository.Transitioned) // the images may be omitted
		line.delete = line.Removals() - line.archive - line.untag
		lines[i] = line
	}
	slices.SortFunc(lines, func(a, b summedRepository) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.bytes(), a.bytes()),
			cmp.Compare(b.delete, a.delete), cmp.Compare(a.Name, b.Name))
	})
	return lines
}

func (l *summedRepository) limited() bool { return l.Skipped == plan.SkipLimit }

func (l *summedRepository) rank() int {
	switch {
	case l.Skipped.IsFailure() || l.NotDone() > 0:
		return 0
	case l.limited():
		return 1
	}
	return 2
}

// bytes returns the bytes that the run deletes or deleted, or those that a limit keeps.
func (l *summedRepository) bytes() int64 {
	if l.apply && !l.limited() {
		return l.DeletedBytes
	}
	return l.ReclaimableBytes
}

// deletes returns the number of images that the run deletes or deleted.
func (l *summedRepository) deletes() int {
	switch {
	case l.apply:
		return l.Deleted
	case l.Skipped != "":
		return 0
	}
	return l.delete
}

func (l *summedRepository) freed() int64 {
	if l.Skipped != "" {
		return 0
	}
	return l.bytes()
}

// note has the rest of the line after its numbers.
func (l *summedRepository) note() string {
	var notes []string
	add := func(n int, format string) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf(format, humanize.Comma(int64(n))))
		}
	}
	switch {
	case l.limited():
		return fmt.Sprintf("limit: %s, %s", count(l.Removals(), "image"), size(l.bytes()))
	case l.Skipped != "":
		return "skipped: " + string(l.Skipped)
	case l.apply:
		add(l.Failed, "%s failed")
		add(l.Unknown, "%s unknown")
		add(l.NotAttempted, "%s not attempted")
		add(l.Blocked, "%s blocked")
		add(l.Changed, "%s changed")
		add(l.Gone, "%s gone")
		add(l.Archived, "%s archived")
		add(l.TagsRemoved, "%s lost tags")
	default:
		add(l.archive, "%s to archive")
		add(l.untag, "%s to lose tags")
	}
	return strings.Join(notes, ", ")
}

// split returns the repositories that have a line, and those that are only summed because
// there are too many. The first ones have a line: a third of them failed, a third limited.
func split(lines []summedRepository, first int) (shown, rest []summedRepository) {
	const most = 20
	if len(lines) <= most {
		return lines, nil
	}
	ranks := map[int]int{}
	for _, l := range lines {
		ranks[l.rank()]++
		if len(shown) < first && (l.rank() == 2 || ranks[l.rank()] <= first/3) {
			shown = append(shown, l)
		} else {
			rest = append(rest, l)
		}
	}
	return shown, rest
}

func (s Screen) repositories(r *report.Report, lines []summedRepository, first int) string {
	lines, rest := split(lines, first)
	deletes := "TO DELETE"
	if r.Mode == config.Apply {
		deletes = "DELETED"
	}
	t := text.NewTable(
		text.Column{Name: "REPOSITORY", Middle: true}, text.Column{Name: "IMAGES", Number: true, Cut: 2},
		text.Column{Name: deletes, Number: true, Style: terminal.Red}, text.Column{Name: "PROTECTED", Number: true, Cut: 1, Style: terminal.Green},
		text.Column{Name: "MAX SIZE", Number: true}, text.Column{Name: "MAX $/MONTH", Number: true, Cut: 3}, text.Column{Name: "NOTE", Whole: true})
	number := func(n int) string { return humanize.Comma(int64(n)) }
	for i := range lines {
		l := &lines[i]
		t.Row(l.Name, number(l.Evaluated), number(l.deletes()), number(l.Protected), size(l.freed()), cmp.Or(s.dollars(r, l.freed()), "-"), l.note())
	}
	table := t.Fit(s.On, "a pipe")
	if len(rest) == 0 {
		return table
	}
	var images, deleted, protected int
	var bytes int64
	for i := range rest {
		images, deleted = images+rest[i].Evaluated, deleted+rest[i].deletes()
		protected, bytes = protected+rest[i].Protected, bytes+rest[i].freed()
	}
	return table + fmt.Sprintf("and %s: %s, %s %s, %s protected, at most %s; -o wide or -o csv lists all\n",
		count(len(rest), "more repository"), count(images, "image"), number(deleted), strings.ToLower(deletes), number(protected), size(bytes))
}

// dollars returns what storing the bytes costs in a month, or "" if the price is not known.
// It takes 10^9 bytes for a gigabyte, for which AWS takes 2^30: so it is an upper bound.
func (s Screen) dollars(r *report.Report, bytes int64) string {
	usd, known := s.price(r)
	if !known {
		return ""
	}
	cost := usd * float64(bytes) / 1e9
	switch {
	case cost >= 100:
		return "$" + humanize.Comma(int64(cost+0.5))
	case cost > 0 && cost < 0.005:
		return "<$0.01"
	}
	return fmt.Sprintf("$%.2f", cost)
}

func (s Screen) price(r *report.Report) (usd float64, known bool) {
	if s.Price != nil {
		return *s.Price, true
	}
	return price.PerGBMonth(r.Region)
}

// count returns a number with a noun, such as "1 image" and "2,000 images".
func count(n int, noun string) string {
	return humanize.Comma(int64(n)) + " " + english.PluralWord(n, noun, "")
}

func size(bytes int64) string { return humanize.Bytes(uint64(max(bytes, 0))) }

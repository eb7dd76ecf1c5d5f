package removal

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// filters are the flags that select images.
type filters struct {
	flags            *pflag.FlagSet
	untagged         bool
	tags             []string
	age, newest      string // as typed
	olderThan        time.Duration
	keepNewest       int
	allTags, tagOnly bool
}

func (f *filters) add(flags *pflag.FlagSet) {
	f.flags = flags
	flags.BoolVar(&f.untagged, "untagged", false, "select images without a tag")
	flags.StringSliceVar(&f.tags, "tags", nil,
		"select images with a tag that matches one of these patterns; * matches any characters (repeatable, comma-separated)")
	flags.StringVar(&f.age, "older-than", "",
		"select images pushed longer ago than so many hours, days or weeks, such as 12h, 30d or 2w")
	flags.StringVar(&f.newest, "keep-newest", "", "keep so many of the newest selected images, such as 10")
	flags.BoolVar(&f.allTags, "all-tags", false,
		"also delete images that have other tags than the named or matching ones")
	flags.BoolVar(&f.tagOnly, "tag-only", false,
		"remove just the named or matching tags, and only from images that have others")
}

// parse reads the values of the flags, and refuses those that exclude each other.
func (f *filters) parse() (err error) {
	if f.flags.Changed("older-than") {
		if f.olderThan, err = selection.ParseAge(f.age); err != nil {
			return exit.Usagef("--older-than %s: %w", f.age, err)
		}
	}
	if f.flags.Changed("keep-newest") {
		number, ok := decimal.Parse(f.newest)
		n, fits := number.Int()
		if !ok || !fits || n < 1 || n > math.MaxInt32 {
			return exit.Usagef("--keep-newest %s: must be an integer such as 10, at least 1", f.newest)
		}
		f.keepNewest = int(n)
	}
	for i := range f.tags {
		f.tags[i] = strings.TrimSpace(f.tags[i])
	}
	switch {
	case f.flags.Changed("tags") && (len(f.tags) == 0 || slices.Contains(f.tags, "")):
		return exit.Usagef("--tags has an empty pattern, which selects no tag; write patterns such as 'pr-*', or leave it out")
	case f.untagged && len(f.tags) > 0:
		return exit.Usagef("--untagged and --tags together select no image; run delete twice, once with each")
	case f.allTags && f.tagOnly:
		return exit.Usagef("--all-tags and --tag-only exclude each other; give one of them")
	case f.given() != nil && len(f.tags) == 0 && (f.allTags || f.tagOnly):
		return exit.Usagef("--all-tags and --tag-only need tags; name them, or select them with --tags")
	}
	return nil
}

// given returns the filters of the command line as a person types them, or nil. A filter that
// is given and empty, such as one of a shell variable without a value, is an error in parse.
func (f *filters) given() []string {
	var given []string
	for _, name := range []string{"untagged", "tags", "older-than", "keep-newest"} {
		if flag := f.flags.Lookup(name); flag.Changed && flag.Value.String() != "false" {
			given = append(given, session.Typed(flag))
		}
	}
	return given
}

// filter returns the filter of the flags, without --keep-newest.
func (d *deletion) filter() selection.Filter {
	filter := selection.Filter{Untagged: d.untagged, OlderThan: d.olderThan, AllTags: d.allTags, TagOnly: d.tagOnly}
	for _, pattern := range d.tags {
		filter.Tags = append(filter.Tags, wildcard.Compile(pattern))
	}
	return filter
}

// seen is the result of the filter in the first listing.
type seen struct {
	selection.Selected
	listing *selection.Listing
	now     time.Time
}

func (d *deletion) chooseByFilter() selection.Choice {
	filter, reason := d.filter(), "selected by "+strings.Join(d.given(), " ")
	choose := func(l *selection.Listing, now time.Time, _ bool) ([]selection.Chosen, error) {
		selected := filter.Select(l.Images, now, reason)
		if d.seen.listing == nil {
			d.seen = seen{selected, l, now}
		}
		return selected.Chosen, nil
	}
	return selection.Choice{Choose: choose, KeepNewest: d.keepNewest}
}

// noteSelected says which images that match the filters are not in the plan, and why.
func (d *deletion) noteSelected(p *plan.Plan) {
	s := &d.seen
	if len(s.Chosen)+s.OtherTags+s.LastTag == 0 {
		d.Notef("%s", d.nothingSelected())
	}
	if n := s.OtherTags; n > 0 {
		d.Notef("kept: %s with other tags that do not match; to delete them with all their tags, add --all-tags; "+
			"to remove just the tags that match, add --tag-only", text.Count(n, "image"))
	}
	if n := s.LastTag; n > 0 {
		d.Notef("kept: %s without another tag, because ECR deletes an image with its last tag; "+
			"to delete them, leave out --tag-only", text.Count(n, "image"))
	}
	selected := map[string]bool{}
	for _, c := range s.Chosen {
		selected[s.listing.Images[c.Position].Digest] = true
		if n := len(c.Untag); n > plan.MaxBatch {
			d.Notef("%s", moreTags(s.listing.Images[c.Position].Digest, n))
		}
	}
	for i := range p.Images {
		delete(selected, p.Images[i].Digest)
	}
	if n := len(selected); n > 0 {
		d.Notef("kept: %d of %s by --keep-newest %d", n, text.Count(len(s.Chosen), "selected image"), d.keepNewest)
	}
}

func moreTags(digest string, n int) string {
	return fmt.Sprintf("%s has %d of these tags, and one run removes %d; run again for the others",
		text.ShortDigest(digest), n, plan.MaxBatch)
}

// nothingSelected says that no image matches the filters, and how many match each of them.
func (d *deletion) nothingSelected() string {
	s, given := &d.seen, d.given()
	all := text.Count(len(s.listing.Images), "image")
	message := fmt.Sprintf("nothing is selected: none of the %s in %s matches %s",
		all, s.listing.Repository, strings.Join(given, " "))
	parts := d.conditions()
	if len(parts) > 1 {
		var counts []string
		for i, part := range parts {
			n := 0
			for j := range s.listing.Images {
				if part.Matches(&s.listing.Images[j], s.now) {
					n++
				}
			}
			counts = append(counts, fmt.Sprintf("%d match %s", n, given[i]))
		}
		message += "; " + strings.Join(counts, ", ")
	}
	return message + hint(d.tags, s.listing.Tags())
}

// conditions returns a filter for each condition, in the order of the flags.
func (d *deletion) conditions() []selection.Filter {
	var parts []selection.Filter
	if d.untagged {
		parts = append(parts, selection.Filter{Untagged: true})
	}
	if filter := d.filter(); filter.Tags != nil {
		parts = append(parts, selection.Filter{Tags: filter.Tags})
	}
	if d.olderThan > 0 {
		parts = append(parts, selection.Filter{OlderThan: d.olderThan})
	}
	return parts
}

// hint names the pattern that was probably meant by the first one that matches no tag.
func hint(patterns, tags []string) string {
	for _, pattern := range patterns {
		compiled := wildcard.Compile(pattern)
		if slices.ContainsFunc(tags, compiled.Match) {
			continue
		}
		prefix, _, _ := strings.Cut(pattern, "*")
		rest, prefixes := pattern[len(prefix):], slices.Clone(tags)
		for i, tag := range prefixes {
			if rest != "" {
				prefixes[i] = tag[:min(len(tag), len(prefix))]
			}
		}
		if i := nearest.Index(prefix, prefixes); i >= 0 {
			return fmt.Sprintf(" (did you mean --tags %s?)", session.Quoted(prefixes[i]+rest))
		}
	}
	return ""
}

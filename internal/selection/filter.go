package selection

import (
	"errors"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Filter selects images of the standard storage class. An image must meet all conditions that
// are set. The zero value selects them all.
type Filter struct {
	Untagged  bool
	Tags      []wildcard.Pattern // one of the tags must match one of these
	OlderThan time.Duration      // since the push, or the restore of an archived image

	// AllTags and TagOnly say what happens to an image that also has tags which do not match.
	// Without either it is kept. AllTags chooses it, and TagOnly only its matching tags.
	AllTags, TagOnly bool
}

// Matches reports whether the image meets the conditions.
func (f *Filter) Matches(im *evaluator.Image, now time.Time) bool {
	return im.StorageClass() == lifecycle.StandardClass &&
		(!f.Untagged || len(im.Tags) == 0) &&
		(f.Tags == nil || slices.ContainsFunc(im.Tags, f.matchesTag)) &&
		(f.OlderThan == 0 || im.EffectivePushTime().Before(evaluator.At(now.Add(-f.OlderThan))))
}

func (f *Filter) matchesTag(tag string) bool { return wildcard.MatchAny(f.Tags, tag) }

// Selected is the result of a [Filter].
type Selected struct {
	Chosen []Chosen
	// These images match and are not chosen: they have other tags, or would lose their last one.
	OtherTags, LastTag int
}

// Select chooses images of a listing, in its order, with the reason.
func (f *Filter) Select(images []evaluator.Image, now time.Time, reason string) Selected {
	var s Selected
	for i := range images {
		im := &images[i]
		if !f.Matches(im, now) {
			continue
		}
		c := Chosen{Position: i, Reason: reason}
		if f.Tags == nil || f.AllTags {
			s.Chosen = append(s.Chosen, c)
			continue
		}
		var matching []string
		for _, tag := range im.Tags {
			if f.matchesTag(tag) {
				matching = append(matching, tag)
			}
		}
		all := len(matching) == len(im.Tags)
		switch {
		case all && f.TagOnly:
			s.LastTag++
		case !all && !f.TagOnly:
			s.OtherTags++
		default:
			if f.TagOnly {
				slices.Sort(matching) // so that a later plan has them in the same order
				c.Untag = matching
			}
			s.Chosen = append(s.Chosen, c)
		}
	}
	return s
}

// ParseAge reads a number of hours, days of 24 hours, or weeks, such as 12h, 30d or 2w.
func ParseAge(text string) (time.Duration, error) {
	const most = 100 * 366 * 24 // hours, which a time.Duration can hold
	units := map[string]int64{"h": 1, "d": 24, "w": 7 * 24}
	if text == "" {
		return 0, errAge
	}
	last := len(text) - 1
	hours, known := units[text[last:]]
	number, ok := decimal.Parse(text[:last])
	n, fits := number.Int()
	if !known || !ok || !fits || n < 1 || n > most/hours {
		return 0, errAge
	}
	return time.Duration(n*hours) * time.Hour, nil
}

var errAge = errors.New("must be a number of hours, days or weeks such as 12h, 30d or 2w")

package hostile_test

import (
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A filter says which images a person deletes. An image must meet all conditions that are set.
type filter struct {
	untagged         bool
	tags             []string // patterns
	age              time.Duration
	newest           int // how many of the selected images are kept
	allTags, tagOnly bool
}

// overridable are the kinds of protection that a person can override.
var overridable = []string{"tagPatterns", "keepNewest", "pulledWithinDays", "pushedWithinHours", "orphan"}

// drawFilter draws the deletions by a person.
func (s *settings) drawFilter(random *rand.Rand) {
	c := filter{age: pick(random, 0, 0, day, 3*day, 30*day), newest: pick(random, 0, 0, 0, 1, 2)}
	switch random.IntN(5) {
	case 0:
		c.untagged = true
	case 1, 2, 3:
		c.tagOnly = random.IntN(2) == 0
		c.allTags = !c.tagOnly && random.IntN(2) == 0
		c.tags = pick(random, []string{devPattern}, []string{devPattern}, []string{"v-*"}, []string{"v-*", devPattern},
			[]string{"*"}, []string{"latest"}, []string{"*-1", "dev-new*"}, []string{"sha256-*"})
	}
	if !c.untagged && c.tags == nil && c.newest == 0 && c.age == 0 {
		c.age = 3 * day
	}
	s.filter, s.shown, s.tagOnly = c, random.IntN(3) == 0, random.IntN(3) == 0
	for _, kind := range overridable {
		if random.IntN(3) == 0 {
			s.overridden = append(s.overridden, kind)
		}
	}
}

// override removes the overridden protections from the settings, by which the judge judges.
func (f *fixture) override() {
	for _, kind := range f.overridden {
		f.tally.note("overridden: " + kind)
		switch kind {
		case "tagPatterns":
			f.tagPatterns = nil
		case "keepNewest":
			f.keepNewest = 0
		case "pulledWithinDays":
			f.pulledDays = 0
		case "pushedWithinHours":
			f.pushedHours = 0
		case "orphan":
			f.deleteOrphans = true
		}
	}
}

// choice returns the filter as the command gives it to the run.
func (c *filter) choice() selection.Choice {
	given := selection.Filter{Untagged: c.untagged, OlderThan: c.age, AllTags: c.allTags, TagOnly: c.tagOnly}
	for _, pattern := range c.tags {
		given.Tags = append(given.Tags, wildcard.Compile(pattern))
	}
	choose := func(l *selection.Listing, now time.Time, _ bool) ([]selection.Chosen, error) {
		return given.Select(l.Images, now, "selected by the test").Chosen, nil
	}
	return selection.Choice{Choose: choose, KeepNewest: c.newest}
}

// applyFiltered deletes the images of one repository that the filter selects. A part of the
// trials shows the plan first, as the command does without --yes.
func (f *fixture) applyFiltered(t *testing.T) {
	t.Helper()
	r := f.runner(t, "filtered")
	r.Config = r.Config.Unprotect(f.overridden)
	f.override()
	f.notef("filter %+v without %v", f.filter, f.overridden)
	run := func() (*report.Report, error) {
		result, err := r.RunChosen(t.Context(), f.repositories[0], f.filter.choice())
		f.pending.Wait()
		f.judgeReport(&result, err)
		return &result, err
	}
	if f.shown {
		remover := r.Remover
		r.Remover, r.RunID = nil, "plan"
		f.begin("plan")
		shown, err := run()
		if err != nil {
			return
		}
		f.pause()
		f.begin("filtered")
		r.Remover, r.RunID, r.Saved, r.Now = remover, "filtered", shown, time.Time{}
	}
	_, _ = run() // it is judged
}

// nameTags returns tags that a person removes from their images.
func (f *fixture) nameTags(random *rand.Rand, images map[string]imageOf) []string {
	for _, digest := range slices.Sorted(maps.Keys(images)) {
		tags := images[digest].Tags
		if len(tags) > 1 && random.IntN(2) == 0 || len(tags) > 0 && random.IntN(20) == 0 {
			f.namedTags = append(f.namedTags, pick(random, tags...))
		}
	}
	return slices.Clone(f.namedTags)
}

func (c *filter) matches(tag string) bool {
	return slices.ContainsFunc(c.tags, func(pattern string) bool {
		ok, err := path.Match(pattern, tag) // no tag has a slash
		return ok && err == nil
	})
}

// selects reports whether the filter selects the image, without regard to the newest.
func (c *filter) selects(im *imageOf, at time.Time) bool {
	hasOther := slices.ContainsFunc(im.Tags, func(tag string) bool { return !c.matches(tag) })
	switch {
	case im.Status != "ACTIVE", c.untagged && len(im.Tags) > 0, c.age > 0 && at.Sub(pushed(im)) <= c.age:
		return false
	case c.tags == nil:
		return true
	}
	return slices.ContainsFunc(im.Tags, c.matches) && (c.allTags || hasOther == c.tagOnly)
}

// chooses reports whether the filter selects the image, and the image is none of the newest.
func (c *filter) chooses(images map[string]imageOf, digest string, at time.Time) bool {
	selects := func(im *imageOf) bool { return c.selects(im, at) }
	im, listed := images[digest]
	return listed && selects(&im) && !among(images, c.newest, digest, selects, activeIndex)
}

// judgeFiltered: the filter must choose the image of the first listing, and that of the plan
// that was shown. No other images go than those that follow a deleted one.
func (j *judgement) judgeFiltered() {
	chosen := j.filter.chooses(j.view.first, j.digest, j.started) &&
		(j.saved == nil || j.filter.chooses(j.saved[j.call.repo], j.digest, j.savedAt))
	other := func(tag string) bool { return !j.filter.matches(tag) }
	hasOther := slices.ContainsFunc(j.is.Tags, other)
	switch {
	case j.call.operation != "BatchDeleteImage":
		j.wrong("a filter archives nothing")
	case j.tags != nil:
		if !j.filter.tagOnly || !chosen || !hasOther || slices.ContainsFunc(j.tags, other) {
			j.wrong("the filter does not choose these tags")
		}
		j.tally.note("filtered: tags removed")
	case j.filter.tagOnly:
		j.wrong("only tags are to go")
	case chosen && (j.filter.tags == nil || j.filter.allTags || !hasOther):
		j.tally.note("filtered: deleted")
	case j.follows():
		j.tally.note("filtered: follows")
	default:
		j.wrong("the filter does not choose it")
	}
}

// judgeNamedTags: a person named the tags, and they are not the last ones of the image.
func (j *judgement) judgeNamedTags() {
	named := func(tag string) bool { return slices.Contains(j.namedTags, tag) }
	left := slices.ContainsFunc(j.is.Tags, func(tag string) bool { return !slices.Contains(j.tags, tag) })
	if j.tags == nil || !left || slices.ContainsFunc(j.tags, func(tag string) bool { return !named(tag) }) {
		j.wrong("nobody named these tags")
	}
	j.tally.note("named: tags removed")
}

// freelyChosen reports whether the filter chooses the image however the newest are counted.
// An index is as new as the newest image below it.
func (j *judgement) freelyChosen() bool {
	youngest, newer := j.was, 0
	for _, digest := range j.below(j.digest) {
		if im := j.view.listing[digest]; younger(&im, &youngest) {
			youngest = im
		}
	}
	for digest, im := range j.view.listing {
		if j.filter.selects(&im, j.now) && len(j.view.parents(digest)) == 0 && len(subjects(&im)) == 0 && younger(&im, &youngest) {
			newer++
		}
	}
	return j.filter.selects(&j.was, j.now) && newer >= j.filter.newest
}

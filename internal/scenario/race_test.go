package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// A sighting is an image as it was at a time.
type sighting struct {
	at    time.Time
	image fakeecr.Image
}

// interleavings is how many runs are made against a writer.
func interleavings() int {
	if testing.Short() || raceDetector {
		return 200
	}
	return 2_000
}

// A race is a run during which a writer changes the repository before calls of
// the run, whichever comes.
type race struct {
	*fixture
	model  *model // of the repository as it was listed
	random *rand.Rand
	serial int
	// described holds images as they were whenever they were described by
	// digest; what was not there is zero. Those before relied are from before
	// the last request to remove the image.
	described map[string][]sighting
	relied    map[string]int
	faults    []string
	// Images that were removed although they changed: after the re-check, so
	// that it could not know.
	inWindow int
	removed  int
	slow     bool // some calls take up to a second
}

// TestRaces has a writer push, tag, pull and delete between plan and re-check
// and between re-check and removal, while some calls are throttled and some
// answers are lost. Nothing that had changed by the re-check may be asked to be
// removed, and nothing twice on one re-check. The time of the pauses between
// attempts is not real.
func TestRaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		removed, inWindow := 0, 0
		for seed := range interleavings() {
			r := newRace(uint64(seed))
			words := pick(r.random, "expire any pushed>1", "archive any pushed>1", "expire dead-*,v-* pushed>1")
			report := r.apply(t, configuration(words, "", `"orphans": "delete"`))
			for _, fault := range r.faults {
				t.Fatalf("seed %d: %s\n%s", seed, fault, strings.Join(r.outcomes(&report), "\n"))
			}
			removed += r.removed
			inWindow += r.inWindow
		}
		t.Logf("%d runs asked for %d removals; of these images %d changed between the re-check and the request", interleavings(), removed, inWindow)
		if removed < interleavings() || inWindow == 0 {
			t.Error("the writer or the runs have nothing to do")
		}
	})
}

// TestRacesOfLargeFamilies is TestRaces for what does not go in one call, and
// for calls that take their time.
func TestRacesOfLargeFamilies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		removed := 0
		for seed := range interleavings() / 100 {
			r := newRaceIn(uint64(seed), largeGroups)
			r.slow = true
			report := r.apply(t, configuration("expire any pushed>1", "", `"limits": {"maxDeletionsPerRepository": 5000}`))
			for _, fault := range r.faults {
				t.Fatalf("seed %d: %s\n%s", seed, fault, strings.Join(r.outcomes(&report), "\n"))
			}
			removed += r.removed
		}
		t.Logf("%d removals", removed)
		if removed < 20*interleavings()/100 {
			t.Error("the runs have nothing to do")
		}
	})
}

// largeFamilies draws an index of many children, and a chain of indexes of
// which each shares a child with the next.
func largeGroups(random *rand.Rand) repository {
	r := repository{name: "app"}
	put := func(name string, children ...string) string {
		r.images = append(r.images, image{name: name, age: 90 * day, index: children != nil, children: children})
		return name
	}
	var many []string
	for i := range 90 + random.IntN(150) {
		many = append(many, put(fmt.Sprint("child", i)))
	}
	put("large", many...)
	shared := put("shared")
	for i := range random.IntN(90) {
		next := put(fmt.Sprint("shared", i))
		put(fmt.Sprint("link", i), shared, next)
		shared = next
	}
	for i := range random.IntN(250) {
		put(fmt.Sprint("plain", i))
	}
	return r
}

func newRace(seed uint64) *race {
	return newRaceIn(seed, func(random *rand.Rand) repository { return randomRepository(random, "app") })
}

func newRaceIn(seed uint64, draw func(*rand.Rand) repository) *race {
	random := rand.New(rand.NewPCG(seed, 1))
	p := picture{draw(random)}
	for i := range p[0].images {
		p[0].images[i].unreadable = false
	}
	r := &race{fixture: newQuickFixture(p), random: random, described: map[string][]sighting{}, relied: map[string]int{}}
	t := trial{picture: p, policies: map[string]string{"app": "expire any pushed>1"}, pullsAreNotRecorded: random.IntN(2) == 0}
	r.server.ExcludePulls(t.pullsAreNotRecorded)
	r.model = newModel(t, "app", r.server.Images("app"))
	r.journal.on(r.before)
	return r
}

// before is called before each call of the run.
func (r *race) before(c recorded) {
	if r.slow && r.random.IntN(4) == 0 {
		time.Sleep(time.Duration(r.random.IntN(1000)) * time.Millisecond) // not real time
	}
	isRemoval := c.operation == "BatchDeleteImage" || c.operation == "UpdateImageStorageClass"
	if len(c.digests) > 0 {
		for range r.random.IntN(3) {
			r.change()
		}
	}
	switch {
	case isRemoval:
		now := r.now()
		for _, digest := range c.digests {
			r.judge(digest, now)
			r.judgeParents(digest, c.operation, now)
		}
		for _, digest := range c.digests {
			r.relied[digest] = len(r.described[digest])
		}
		r.disturb(c.operation)
	case c.operation == "DescribeImages":
		now := r.now()
		for _, digest := range c.digests {
			r.described[digest] = append(r.described[digest], sighting{time.Now(), now[digest]})
		}
	}
}

// disturb has ECR refuse the call, or its answer get lost.
func (r *race) disturb(operation string) {
	switch r.random.IntN(10) {
	case 0:
		r.server.FailNext(operation, "", "ThrottlingException", 1)
	case 1:
		r.journal.loseAnswer()
	}
}

// change does what other people do to a repository.
func (r *race) change() {
	images := r.server.Images("app")
	if len(images) == 0 {
		return
	}
	im := pick(r.random, images...)
	r.serial++
	r.clock.advance(time.Second)
	switch r.random.IntN(7) {
	case 0: // tag, perhaps with a tag of another image
		tag := fmt.Sprint("new-", r.serial)
		if other := pick(r.random, images...); len(other.Tags) > 0 {
			tag = other.Tags[0]
		}
		r.server.Tag("app", im.Digest, tag)
	case 1, 2: // pull, an index together with one of its children
		r.stamp(im)
		if i := slices.IndexFunc(images, func(child fakeecr.Image) bool { return slices.Contains(im.Children, child.Digest) }); i >= 0 {
			r.stamp(images[i])
		}
	case 3: // push a new image with a tag of this one
		r.server.Put("app", fakeecr.Image{Tags: im.Tags[:min(1, len(im.Tags))]})
	case 4: // push an index over it
		r.server.Put("app", fakeecr.Image{Children: []string{im.Digest}, Tags: []string{fmt.Sprint("new-", r.serial)}})
	case 5: // push a signature of it
		r.server.Put("app", fakeecr.Image{SubjectDigest: im.Digest})
	case 6:
		r.server.Remove("app", im.Digest)
	}
}

func (r *race) stamp(im fakeecr.Image) {
	im.LastRecordedPullTime = r.clock.now()
	r.server.Put("app", im)
}

// judge judges the request to remove an image: it must rely on a re-check of
// the last two seconds, by which nothing had changed.
func (r *race) judge(digest string, now map[string]fakeecr.Image) {
	r.removed++
	at := r.model.place[digest]
	if !r.seen(r.described[digest][r.relied[digest]:], func(is fakeecr.Image) bool { return r.same(at, is) }) {
		r.faults = append(r.faults, digest+" was removed, which had changed by the re-check")
	}
	for _, leaf := range r.model.leaves(at, nil) {
		if !r.seen(r.described[r.model.images[leaf].Digest], func(is fakeecr.Image) bool { return r.unpulled(leaf, is) }) {
			r.faults = append(r.faults, digest+" was removed, below which something had been pulled by the re-check")
		}
	}
	if is, there := now[digest]; there && !r.same(at, is) {
		r.inWindow++
	}
}

// seen reports whether the last sighting is recent, and of the image as wanted
// or gone. The call to remove it, and the one to describe it, may take the time
// that slow calls take.
func (r *race) seen(sightings []sighting, as func(fakeecr.Image) bool) bool {
	most := 2 * time.Second
	if r.slow {
		most += 2 * time.Second
	}
	if len(sightings) == 0 {
		return false
	}
	last := sightings[len(sightings)-1]
	return time.Since(last.at) <= most && (last.image.Digest == "" || as(last.image))
}

// same reports whether the image at the place is as it was listed. The own pull
// of an index that was read does not count if it may be the reading.
func (r *race) same(at int, is fakeecr.Image) bool {
	was := r.model.images[at]
	slices.Sort(was.Tags)
	slices.Sort(is.Tags)
	reading := r.model.readable(at) && !r.model.trial.pullsAreNotRecorded
	return slices.Equal(was.Tags, is.Tags) && was.Status == is.Status && (reading || r.unpulled(at, is))
}

func (r *race) unpulled(at int, is fakeecr.Image) bool {
	return r.model.images[at].LastRecordedPullTime.Equal(is.LastRecordedPullTime)
}

// judgeParents judges whether all that the image belongs to has gone before it.
func (r *race) judgeParents(digest, operation string, now map[string]fakeecr.Image) {
	for _, p := range r.model.parents(r.model.place[digest], false) {
		parent, there := now[r.model.images[p].Digest]
		if there && (operation == "BatchDeleteImage" || parent.Status != "ARCHIVED") {
			r.faults = append(r.faults, digest+" was removed before "+parent.Digest+", to which it belongs")
		}
	}
}

// now returns the images of the repository by digest.
func (r *race) now() map[string]fakeecr.Image {
	images := map[string]fakeecr.Image{}
	for _, im := range r.server.Images("app") {
		images[im.Digest] = im
	}
	return images
}

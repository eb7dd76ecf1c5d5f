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
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A sighting is an image at a time.
type sighting struct {
	at    time.Time
	image fakeecr.Image
}

// interleavings is the number of runs against a writer.
func interleavings() int {
	if testing.Short() || awstest.Race {
		return 200
	}
	return 2_000
}

// A race is a run during which a writer changes the repository before any call of the run.
type race struct {
	*fixture
	model  *model // of the repository as it was listed
	random *rand.Rand
	serial int
	// described has the images from each DescribeImages by digest; a missing image is
	// zero. relied is the number of those before the last request to remove the image.
	described map[string][]sighting
	relied    map[string]int
	faults    []string
	// Removed images that changed after the re-check, so that the run could not know it.
	inWindow int
	removed  int
	slow     bool // some calls take up to a second
}

// TestRaces makes a writer push, tag, pull and delete images between plan and re-check, and between
// re-check and removal. Some calls are throttled, and some answers are lost. The run must not
// request the removal of an image that changed before the re-check, and must not remove twice after
// one re-check. The pauses between attempts take no real time.
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

// TestRacesOfLargeGroups is TestRaces with groups that are larger than one call, and with
// slow calls.
func TestRacesOfLargeGroups(t *testing.T) {
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

// largeGroups draws an index with many children, and a chain of indexes in which each
// shares a child with the next.
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

// disturb makes ECR refuse the call, or loses its answer.
func (r *race) disturb(operation string) {
	switch r.random.IntN(10) {
	case 0:
		r.server.FailNext(operation, "", "ThrottlingException", 1)
	case 1:
		r.journal.loseAnswer()
	}
}

// change makes a random change to the repository.
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

// judge judges a request to remove an image. It must rely on a re-check of the last two
// seconds that found no change.
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

// seen reports whether the last sighting is recent, and the image is as wanted or
// missing. It adds the time of slow calls.
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

// same reports whether the image is as it was listed. A pull of an index that the run
// read may be the run's own.
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

// judgeParents checks that all parents of the image were removed before it.
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

// ECR has no conditional delete: a change between the answer to the re-check and the
// request to remove is not seen. This test measures that time at the server, over HTTP on
// this machine. It is the time that the cleaner adds to the network.
//
//nolint:paralleltest // other tests would be in the way of the measurement
func TestWindow(t *testing.T) {
	for action, groups := range map[string]int{"expire": 2000, "archive": 300} {
		f := newFixture(t, picture{{name: "app"}})
		fill(f, "app", groups, 1, groups)
		report := f.apply(t, configuration(action+" any pushed>30", "", `"limits": {"maxDeletionsPerRepository": 10000}`))
		if n := report.Totals.Deleted + report.Totals.Archived; n != 3*groups {
			t.Fatalf("%d removed, want %d", n, 3*groups)
		}
		for what, windows := range f.windows() {
			slices.Sort(windows)
			t.Logf("%s, %s: %d calls, window median %v, max %v", action, what, len(windows),
				windows[len(windows)/2].Round(time.Microsecond), windows[len(windows)-1].Round(time.Microsecond))
		}
	}
}

// windows returns the times from the answers of re-checks to the requests that rely on
// them: for the first request after a re-check, and for later ones.
func (f *fixture) windows() map[string][]time.Duration {
	windows := map[string][]time.Duration{}
	var checked time.Time
	first := "first request"
	for _, c := range f.journal.calls {
		switch c.operation {
		case "DescribeImages":
			checked, first = c.answered, "first request"
		case "BatchDeleteImage", "UpdateImageStorageClass":
			windows[first] = append(windows[first], c.asked.Sub(checked))
			first = "later requests"
		}
	}
	return windows
}

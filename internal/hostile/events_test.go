package hostile_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

type imageOf = fakeecr.Image

// An event is something that others do to a repository or to one of its images.
type event struct {
	name   string
	weight int
	happen func(f *fixture, random *rand.Rand, repo string, im imageOf)
}

var events = []event{
	{"push", 4, func(f *fixture, random *rand.Rand, repo string, im imageOf) {
		pushed := f.image("pushed", nil, "")
		if len(im.Tags) > 0 {
			pushed.Tags = im.Tags[:1] // the tag moves
		}
		f.server.Put(repo, pushed)
	}},
	{"push index", 2, func(f *fixture, _ *rand.Rand, repo string, im imageOf) {
		f.server.Put(repo, f.image("pushedindex", []string{im.Digest}, ""))
	}},
	{"push signature", 2, func(f *fixture, _ *rand.Rand, repo string, im imageOf) {
		f.server.Put(repo, f.image("pushedsignature", nil, im.Digest))
	}},
	{"retag", 5, func(f *fixture, random *rand.Rand, repo string, im imageOf) {
		tag := fmt.Sprint("dev-new", len(f.trace))
		switch random.IntN(3) {
		case 0:
			if other := pick(random, f.server.Images(repo)...); len(other.Tags) > 0 {
				tag = pick(random, other.Tags...)
			}
		case 1:
			if len(f.uses) > 0 {
				tag = cmp.Or(pick(random, f.uses...).tag, tag)
			}
		}
		f.server.Tag(repo, im.Digest, tag)
	}},
	{"untag", 2, func(f *fixture, random *rand.Rand, repo string, im imageOf) {
		if len(im.Tags) > 0 {
			f.server.Untag(repo, pick(random, im.Tags...))
		}
	}},
	{"pull", 5, (*fixture).pull},
	{"new use", 4, func(f *fixture, random *rand.Rand, repo string, im imageOf) {
		f.use(random, repo, im, f.clocks.service())
		if random.IntN(2) == 0 {
			f.pull(random, repo, im)
		}
	}},
	// A deployment is rolled back: an image is in use again.
	{"use again", 2, func(f *fixture, random *rand.Rand, repo string, _ imageOf) {
		ended := f.those(func(u use) bool { return u.ended && u.repo == repo })
		if len(ended) == 0 {
			return
		}
		again := pick(random, ended...)
		again.ended, again.since = false, f.clocks.service()
		f.uses = append(f.uses, again)
		if im, there := f.images(repo)[again.digest]; there {
			f.pull(random, repo, im)
		}
	}},
	// Or a tag in use moves to the oldest image.
	{"rollback", 2, func(f *fixture, random *rand.Rand, repo string, _ imageOf) {
		tagged := f.those(func(u use) bool { return u.tag != "" && u.repo == repo })
		if images := f.server.Images(repo); len(tagged) > 0 && len(images) > 0 {
			oldest := slices.MinFunc(images, func(a, b imageOf) int { return a.PushedAt.Compare(b.PushedAt) })
			f.server.Tag(repo, oldest.Digest, pick(random, tagged...).tag)
		}
	}},
	{"end of use", 1, func(f *fixture, random *rand.Rand, _ string, _ imageOf) {
		if len(f.uses) > 0 {
			f.uses[random.IntN(len(f.uses))].ended = true
		}
	}},
	{"delete", 2, func(f *fixture, _ *rand.Rand, repo string, im imageOf) { f.server.Remove(repo, im.Digest) }},
	{"push again", 2, func(f *fixture, _ *rand.Rand, repo string, im imageOf) { // after it was deleted
		im.PushedAt, im.LastRecordedPullTime, im.LastActivatedAt = f.clocks.service(), time.Time{}, time.Time{}
		f.server.Put(repo, im)
	}},
	{"archive", 2, func(f *fixture, _ *rand.Rand, repo string, im imageOf) {
		im.Status, im.LastArchivedAt = "ARCHIVED", f.clocks.service()
		f.server.Put(repo, im)
	}},
	{"restore", 2, func(f *fixture, _ *rand.Rand, repo string, im imageOf) {
		if im.Status == "ARCHIVED" {
			im.Status, im.LastActivatedAt = "ACTIVE", f.clocks.service()
			f.server.Put(repo, im)
		}
	}},
	// No sum of these is small: a few seconds cannot be told from the drift of a clock.
	{"suspend", 2, func(f *fixture, random *rand.Rand, _ string, _ imageOf) {
		d := pick(random, 100*time.Second, 290*time.Second, 13*time.Minute, 31*time.Minute)
		f.clocks.suspend(d)
		f.notef("   suspended for %s", d)
	}},
	{"clock jump", 1, func(f *fixture, random *rand.Rand, _ string, _ imageOf) {
		d := pick(random, 7*time.Minute, 45*time.Minute, 5*time.Hour, 8*day)
		if d = pick(random, d, -d); !f.jumped && random.IntN(3) == 0 {
			f.clocks.jump(d)
			f.jumped = true
			f.notef("   the machine's clock jumps by %s", d)
		}
	}},
}

// pull makes somebody pull the image, and usually a child of an index as well.
func (f *fixture) pull(random *rand.Rand, repo string, im imageOf) {
	f.server.Pull(repo, im.Digest)
	images := f.images(repo)
	for _, child := range im.Children {
		if _, there := images[child]; there && random.IntN(4) > 0 {
			f.server.Pull(repo, child)
			return
		}
	}
}

var weights = func() (sum int) {
	for _, e := range events {
		sum += e.weight
	}
	return sum
}()

// change may make others change the registry. The caller holds the lock.
func (f *fixture) change(random *rand.Rand, repo string, near []string) {
	for f.begun() && random.Float64() < f.eventRate {
		if random.IntN(300) == 0 && repo != "" {
			f.server.DeleteRepository(repo)
			f.notef("   event: repository deleted")
			f.tally.note("event: repository deleted")
		}
		at := repo
		if at == "" {
			at = f.repositories[0]
		}
		images := f.images(at)
		if len(images) == 0 {
			return
		}
		digest := pick(random, slices.Sorted(maps.Keys(images))...)
		if len(near) > 0 && random.IntN(3) > 0 {
			digest = pick(random, near...)
		}
		im, there := images[digest]
		if !there {
			continue
		}
		n := random.IntN(weights)
		for _, e := range events {
			if n -= e.weight; n < 0 {
				f.notef("   event: %s %s", e.name, f.names[digest])
				f.tally.note("event: " + e.name)
				e.happen(f, random, at, im)
				break
			}
		}
	}
}

// moveTag may move a tag in use, between two pages, from an image that the run has
// listed to one that it has not. The listing then has the tag twice.
func (f *fixture) moveTag(c *call) {
	random, pages := f.chance("move "+c.repo), f.views[c.repo].pages
	images := f.images(c.repo)
	var later []string
	for _, digest := range slices.Sorted(maps.Keys(images)) {
		if _, listed := pages[digest]; !listed {
			later = append(later, digest)
		}
	}
	if f.eventRate == 0 || len(later) == 0 || random.IntN(2) == 0 {
		return
	}
	for _, u := range f.uses {
		for digest, im := range pages {
			if _, there := images[digest]; there && u.repo == c.repo && u.tag != "" && slices.Contains(im.Tags, u.tag) {
				digest = pick(random, later...)
				f.server.Tag(c.repo, digest, u.tag)
				f.notef("   event: tag in use moves to %s", f.names[digest])
				f.tally.note("event: tag in use moves")
				return
			}
		}
	}
}

// pullIndex may have somebody pull an index after the run has listed it, some seconds
// before the run reads its manifest: ECR does not record the read then.
func (f *fixture) pullIndex(c *call) {
	random, images := f.chance("pull index "+c.repo), f.images(c.repo)
	if f.eventRate == 0 || random.IntN(4) > 0 {
		return
	}
	for _, digest := range slices.Sorted(maps.Keys(images)) {
		if len(images[digest].Children) > 0 {
			f.server.Pull(c.repo, digest)
			f.clocks.suspend(3 * time.Second)
			f.notef("   event: index pulled %s, and three seconds pass", f.names[digest])
			f.tally.note("event: index pulled")
			return
		}
	}
}

// begun reports whether events may happen yet.
func (f *fixture) begun() bool { return !f.quietStart || f.rechecked }

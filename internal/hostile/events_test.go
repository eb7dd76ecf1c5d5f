package hostile_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

type imageOf = fakeecr.Image

// An event is something that others do to a repository or to one of its images.
type event struct {
	name   string
	weight int
	happen func(w *world, random *rand.Rand, repo string, im imageOf)
}

var events = []event{
	{"push", 4, func(w *world, random *rand.Rand, repo string, im imageOf) {
		pushed := w.image("pushed", nil, "")
		if len(im.Tags) > 0 {
			pushed.Tags = im.Tags[:1] // the tag moves
		}
		w.server.Put(repo, pushed)
	}},
	{"push index", 2, func(w *world, _ *rand.Rand, repo string, im imageOf) {
		w.server.Put(repo, w.image("pushedindex", []string{im.Digest}, ""))
	}},
	{"push signature", 2, func(w *world, _ *rand.Rand, repo string, im imageOf) {
		w.server.Put(repo, w.image("pushedsignature", nil, im.Digest))
	}},
	{"retag", 5, func(w *world, random *rand.Rand, repo string, im imageOf) {
		tag := fmt.Sprint("dev-new", len(w.trace))
		switch random.IntN(3) {
		case 0:
			if other := pick(random, w.server.Images(repo)...); len(other.Tags) > 0 {
				tag = pick(random, other.Tags...)
			}
		case 1:
			if len(w.uses) > 0 {
				tag = cmp.Or(pick(random, w.uses...).tag, tag)
			}
		}
		w.server.Tag(repo, im.Digest, tag)
	}},
	{"untag", 2, func(w *world, random *rand.Rand, repo string, im imageOf) {
		if len(im.Tags) > 0 {
			w.server.Untag(repo, pick(random, im.Tags...))
		}
	}},
	{"pull", 5, (*world).pull},
	{"new use", 4, func(w *world, random *rand.Rand, repo string, im imageOf) {
		w.use(random, repo, im, w.clocks.service())
		if random.IntN(2) == 0 {
			w.pull(random, repo, im)
		}
	}},
	{"end of use", 1, func(w *world, random *rand.Rand, _ string, _ imageOf) {
		if len(w.uses) > 0 {
			w.uses[random.IntN(len(w.uses))].ended = true
		}
	}},
	{"delete", 2, func(w *world, _ *rand.Rand, repo string, im imageOf) { w.server.Remove(repo, im.Digest) }},
	{"push again", 2, func(w *world, _ *rand.Rand, repo string, im imageOf) { // after it was deleted
		im.PushedAt, im.LastRecordedPullTime, im.LastActivatedAt = w.clocks.service(), time.Time{}, time.Time{}
		w.server.Put(repo, im)
	}},
	{"archive", 2, func(w *world, _ *rand.Rand, repo string, im imageOf) {
		im.Status, im.LastArchivedAt = "ARCHIVED", w.clocks.service()
		w.server.Put(repo, im)
	}},
	{"restore", 2, func(w *world, _ *rand.Rand, repo string, im imageOf) {
		if im.Status == "ARCHIVED" {
			im.Status, im.LastActivatedAt = "ACTIVE", w.clocks.service()
			w.server.Put(repo, im)
		}
	}},
	// No sum of these is small: a few seconds cannot be told from the drift of a
	// clock.
	{"suspend", 2, func(w *world, random *rand.Rand, _ string, _ imageOf) {
		d := pick(random, 100*time.Second, 290*time.Second, 13*time.Minute, 31*time.Minute)
		w.clocks.suspend(d)
		w.notef("   suspended for %s", d)
	}},
	{"clock jump", 1, func(w *world, random *rand.Rand, _ string, _ imageOf) {
		d := pick(random, 7*time.Minute, 45*time.Minute, 5*time.Hour, 8*day)
		if d = pick(random, d, -d); !w.jumped && random.IntN(3) == 0 {
			w.clocks.jump(d)
			w.jumped = true
			w.notef("   the machine's clock jumps by %s", d)
		}
	}},
}

// pull makes somebody pull the image, and usually a child of an index as well.
func (w *world) pull(random *rand.Rand, repo string, im imageOf) {
	w.server.Pull(repo, im.Digest)
	images := w.images(repo)
	for _, child := range im.Children {
		if _, there := images[child]; there && random.IntN(4) > 0 {
			w.server.Pull(repo, child)
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

// stir may make others change the world. The caller holds the lock.
func (w *world) stir(random *rand.Rand, repo string, near []string) {
	for w.begun() && random.Float64() < w.eventRate {
		if random.IntN(300) == 0 && repo != "" {
			w.server.DeleteRepository(repo)
			w.notef("   event: repository deleted")
			w.tally.note("event: repository deleted")
		}
		at := repo
		if at == "" {
			at = w.repositories[0]
		}
		images := w.images(at)
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
				w.notef("   event: %s %s", e.name, w.names[digest])
				w.tally.note("event: " + e.name)
				e.happen(w, random, at, im)
				break
			}
		}
	}
}

// moveTag may move a tag in use, between two pages, from an image that the run has
// listed to one that it has not. The listing then has the tag twice.
func (w *world) moveTag(c *call) {
	random, pages := w.chance("move "+c.repo), w.views[c.repo].pages
	images := w.images(c.repo)
	var later []string
	for _, digest := range slices.Sorted(maps.Keys(images)) {
		if _, listed := pages[digest]; !listed {
			later = append(later, digest)
		}
	}
	if w.eventRate == 0 || len(later) == 0 || random.IntN(2) == 0 {
		return
	}
	for _, u := range w.uses {
		for digest, im := range pages {
			if _, there := images[digest]; there && u.repo == c.repo && u.tag != "" && slices.Contains(im.Tags, u.tag) {
				digest = pick(random, later...)
				w.server.Tag(c.repo, digest, u.tag)
				w.notef("   event: tag in use moves to %s", w.names[digest])
				w.tally.note("event: tag in use moves")
				return
			}
		}
	}
}

// pullIndex may have somebody pull an index after the run has listed it, some seconds
// before the run reads its manifest: ECR does not record the read then.
func (w *world) pullIndex(c *call) {
	random, images := w.chance("pull index "+c.repo), w.images(c.repo)
	if w.eventRate == 0 || random.IntN(4) > 0 {
		return
	}
	for _, digest := range slices.Sorted(maps.Keys(images)) {
		if len(images[digest].Children) > 0 {
			w.server.Pull(c.repo, digest)
			w.clocks.suspend(3 * time.Second)
			w.notef("   event: index pulled %s, and three seconds pass", w.names[digest])
			w.tally.note("event: index pulled")
			return
		}
	}
}

// begun reports whether events may happen yet.
func (w *world) begun() bool { return !w.quietStart || w.looked }

// Name returns the name of the in-use source.
func (w *world) Name() string { return "ecs" }

// Uses yields all uses that lasted from the question to the answer, and some of the
// uses that began in between.
func (w *world) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		uses, err := w.scan(ctx)
		for _, u := range uses {
			if !yield(u, nil) {
				return
			}
		}
		if err != nil {
			yield(inuse.Use{}, err)
		}
	}
}

var errSource = errors.New("the service is down")

func (w *world) scan(ctx context.Context) ([]inuse.Use, error) {
	w.mu.Lock()
	random := w.chance("scan")
	asked := w.clocks.service()
	takes := pick(random, 0, 0, time.Second, 20*time.Second)
	kind := ""
	if w.sourceFaults && random.IntN(2) == 0 {
		kind = pick(random, "source fails", "source is slow", "source names nothing")
		w.tally.note("fault: " + kind)
	}
	if kind == "source is slow" {
		takes = pick(random, 9*time.Minute, 11*time.Minute, 14*time.Minute)
	}
	w.notef("scan asked (%s)", kind)
	if images := w.images(w.repositories[0]); w.eventRate > 0 && len(images) > 0 && random.IntN(4) == 0 {
		digest := pick(random, slices.Sorted(maps.Keys(images))...)
		w.clocks.suspend(time.Second)
		w.pull(random, w.repositories[0], images[digest])
		w.notef("   event: pulled during the scan %s", w.names[digest])
		w.tally.note("event: pulled during the scan")
	}
	w.mu.Unlock()
	w.clocks.suspend(takes) // the cleaner may hold a mutex meanwhile, see pass
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stir(random, "", nil)
	s := scan{asked: asked, ok: kind != "source fails" && ctx.Err() == nil}
	var uses []inuse.Use
	for _, u := range w.uses {
		// The cleaner can detect a source that wrongly names nothing only if it named
		// something before.
		if u.ended || u.since.After(asked) && random.IntN(2) == 0 || kind == "source names nothing" && w.run == "apply" && w.saved != nil && w.savedNamed > 0 {
			continue
		}
		uses = append(uses, inuse.Use{By: "task", Reference: reference.Reference{
			RegistryID: account, Region: region, Repository: u.repo, Tag: u.tag, Digest: u.digest,
		}})
	}
	s.named = len(uses)
	w.scans = append(w.scans, s)
	w.notef("scan answered: ok %v, %d uses", s.ok, s.named)
	if !s.ok {
		return uses, errSource
	}
	return uses, nil
}

package hostile_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
)

// A use says that something uses an image from a time on, until it has ended.
type use struct {
	repo, tag, digest string
	since             time.Time
	ended             bool
}

// A scan is one question to the in-use source.
type scan struct {
	asked time.Time
	ok    bool
	named int
}

// A look is an image as a call of the run found it; zero if the call did not find it.
type look struct {
	asked time.Time // at the service
	seq   int       // of the call
	image fakeecr.Image
}

// A read is a read of an index's manifest by the cleaner.
type read struct {
	from, to time.Time
	by       *knowledge
}

// Knowledge of a run says whether ECR listed the principals whose pulls it does not
// record. That list has the caller's role or is empty.
type knowledge struct{ exclusions bool }

// An attempt is a removing call, as far as one image is concerned.
type attempt struct {
	seq  int
	tags []string // those that it was to remove; nil when it was for the image
	// answered says whether an answer of ECR arrived, throttled whether ECR answered
	// that it has done nothing. Code is ECR's failure code for the image; "" for
	// success.
	answered, throttled bool
	code                string
	at                  time.Time // of the answer
}

// A view is the knowledge that the run has of a repository.
type view struct {
	pages   map[string]fakeecr.Image // of the listing under way
	listing map[string]fakeecr.Image // the last whole one, nil when there is none
	first   map[string]fakeecr.Image // the first whole one: the plan's
	read    map[string]bool          // the indexes whose manifests were read
	looks   map[string]look
}

// A deed says how the calls of the runs changed an image.
type deed struct {
	deleted, archived, untagged bool
	at                          time.Time // of the last
}

// A world is a registry, the users of its images, and everything that happened to it.
type world struct {
	settings
	seed   uint64
	clocks clocks
	server *fakeecr.Server
	log    *logFile
	// background is the context of work whose caller does not wait.
	background context.Context
	tally      *tally
	names      map[string]string // by digest

	mu       sync.Mutex
	uses     []use
	calls    map[string]int // by operation and repository
	seq      int
	lastLog  int // the last call before the last line of the log
	trace    []string
	faults   []string
	jumped   bool
	looked   bool           // the first look was sent
	pending  sync.WaitGroup // work that is carried out late
	attempts map[string][]*attempt
	deeds    map[string]*deed
	reads    map[string][]read
	unread   map[string]string // code of failures[], by digest, of the last read
	// Of the run under way.
	run       string // plan, apply or named
	started   time.Time
	views     map[string]*view
	scans     []scan
	learnt    *knowledge
	requested map[string]map[string]bool
	named     map[string]bool
	// Of the saved plan.
	saved      map[string]map[string]fakeecr.Image
	savedAt    time.Time
	savedNamed int
}

func newWorld(ctx context.Context, seed uint64, seen *tally) *world {
	random := rand.New(rand.NewPCG(seed, 0))
	w := &world{
		settings: draw(random), background: ctx, seed: seed, tally: seen, names: map[string]string{}, calls: map[string]int{},
		attempts: map[string][]*attempt{}, deeds: map[string]*deed{}, reads: map[string][]read{}, unread: map[string]string{},
	}
	w.log = &logFile{w: w}
	w.server = fakeecr.New(fakeecr.WithClock(w.clocks.service))
	w.server.ExcludePulls(w.excluded)
	w.clocks.jump(w.skew)
	w.notef("the machine's clock is %s ahead, exclusion %v", w.skew, w.excluded)
	for _, repo := range w.repositories {
		w.fill(random, repo)
	}
	if w.shortPages {
		w.server.Inject(fakeecr.Faults{Seed: seed, Rules: []fakeecr.FaultRule{{Kind: fakeecr.ShortPage, Operation: "DescribeImages", Probability: 0.5}}})
	}
	return w
}

// begin forgets what earlier runs saw.
func (w *world) begin(run string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.run, w.scans, w.learnt, w.jumped = run, nil, &knowledge{}, false
	w.started = w.clocks.service()
	w.views, w.requested = map[string]*view{}, map[string]map[string]bool{}
	for _, repo := range w.repositories {
		w.views[repo] = &view{looks: map[string]look{}, read: map[string]bool{}}
		w.requested[repo] = map[string]bool{}
	}
	clear(w.unread)
	w.notef("== run: %s", run)
}

// chance returns the random numbers for one occasion, which do not depend on other
// occasions.
func (w *world) chance(occasion string) *rand.Rand {
	h := fnv.New64a()
	w.calls[occasion]++
	_, _ = fmt.Fprintf(h, "%s %d", occasion, w.calls[occasion])
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

func (w *world) notef(format string, args ...any) {
	w.trace = append(w.trace, w.clocks.service().Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// faultf notes a violation of the contract.
func (w *world) faultf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.notef("VIOLATION: %s", text)
	if !slices.Contains(w.faults, text) {
		w.faults = append(w.faults, text)
	}
}

// images returns the true images of a repository.
func (w *world) images(repo string) map[string]fakeecr.Image {
	images := map[string]fakeecr.Image{}
	for _, im := range w.server.Images(repo) {
		slices.Sort(im.Tags)
		images[im.Digest] = im
	}
	return images
}

func (w *world) report(t *testing.T) {
	t.Helper()
	t.Errorf("seed %d: %d violations\n%+v\nuses %+v", w.seed, len(w.faults), w.settings, w.uses)
	t.Log("\n" + strings.Join(w.trace, "\n"))
	for _, fault := range w.faults {
		t.Error(fault)
	}
}

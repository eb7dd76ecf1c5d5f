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
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

const (
	account = "123456789012"
	region  = awstest.Region
)

// A recheck is an image as a call of the run found it; zero if the call did not find it.
type recheck struct {
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
	// answered says whether an answer of ECR arrived, throttled whether ECR answered that it has
	// done nothing. Code is ECR's failure code for the image; "" for success.
	answered, throttled bool
	code                string
	at                  time.Time // of the answer
}

// A view is the knowledge that the run has of a repository.
type view struct {
	pages    map[string]fakeecr.Image // of the listing under way
	listing  map[string]fakeecr.Image // the last whole one, nil when there is none
	first    map[string]fakeecr.Image // the first whole one: the plan's
	read     map[string]bool          // the indexes whose manifests were read
	rechecks map[string]recheck
}

// A deed says how the calls of the runs changed an image.
type deed struct {
	deleted, archived, untagged bool
	at                          time.Time // of the last
}

// A fixture is a registry, the uses of its images, and everything that happened to it.
type fixture struct {
	settings
	seed   uint64
	clocks clocks
	server *fakeecr.Server
	log    *logFile
	// background is the context of work whose caller does not wait.
	background context.Context
	tally      *tally
	names      map[string]string    // by digest
	admissions map[string]admission // by repository; "" is the registry

	mu        sync.Mutex
	uses      []use
	calls     map[string]int // by operation and repository
	seq       int
	lastLog   int // the last call before the last line of the log
	trace     []string
	faults    []string
	jumped    bool
	rechecked bool           // the first re-check was sent
	pending   sync.WaitGroup // work that is carried out late
	attempts  map[string][]*attempt
	deeds     map[string]*deed
	reads     map[string][]read
	unread    map[string]string // code of failures[], by digest, of the last read
	// Of the run under way.
	run       string // plan, apply, named or filtered
	id        string // of the run
	started   time.Time
	views     map[string]*view
	scans     []scan
	namedBy   map[string][]use // by account
	most      map[string]int   // the most uses that each source had, here and in the saved plan
	learnt    *knowledge
	requested map[string]map[string]bool
	named     map[string]bool
	namedTags []string
	// Of runs that continue.
	runs         int
	interruptAt  int // the call that interrupts the run, or 0
	interrupted  func()
	together     union
	removedByAll map[string]bool // images that were asked for and changed, in all runs
	unfinished   bool
	// Of the saved plan.
	saved   map[string]map[string]fakeecr.Image
	savedAt time.Time
}

func newFixture(ctx context.Context, seed uint64, seen *tally) *fixture {
	random := rand.New(rand.NewPCG(seed, 0))
	f := &fixture{
		settings: draw(random), removedByAll: map[string]bool{}, background: ctx, seed: seed, tally: seen, names: map[string]string{}, calls: map[string]int{},
		attempts: map[string][]*attempt{}, deeds: map[string]*deed{}, reads: map[string][]read{}, unread: map[string]string{},
	}
	f.drawRounds(rand.New(rand.NewPCG(seed, 1)))
	f.log = &logFile{w: f}
	f.server = fakeecr.New(fakeecr.WithClock(f.clocks.service))
	f.server.ExcludePulls(f.excluded)
	f.clocks.jump(f.skew)
	f.notef("the machine's clock is %s ahead, exclusion %v", f.skew, f.excluded)
	for _, repo := range f.repositories {
		f.fill(random, repo)
	}
	f.drawAdmissions(random)
	if f.shortPages {
		f.server.Inject(fakeecr.Faults{Seed: seed, Rules: []fakeecr.FaultRule{{Kind: fakeecr.ShortPage, Operation: "DescribeImages", Probability: 0.5}}})
	}
	return f
}

// begin forgets what earlier runs saw.
func (f *fixture) begin(run string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.most = f.namedLast()
	f.run, f.scans, f.learnt, f.jumped = run, nil, &knowledge{}, false
	f.started, f.namedBy = f.clocks.service(), map[string][]use{}
	if f.id = run; f.rounds {
		f.runs++
		f.id = fmt.Sprintf("%s-%d", run, f.runs)
		f.attempts, f.deeds = map[string][]*attempt{}, map[string]*deed{}
	}
	f.views, f.requested = map[string]*view{}, map[string]map[string]bool{}
	for _, repo := range f.repositories {
		f.views[repo] = &view{rechecks: map[string]recheck{}, read: map[string]bool{}}
		f.requested[repo] = map[string]bool{}
	}
	clear(f.unread)
	f.notef("== run: %s", run)
}

// chance returns the random numbers for one occasion, which do not depend on other occasions.
func (f *fixture) chance(occasion string) *rand.Rand {
	h := fnv.New64a()
	f.calls[occasion]++
	_, _ = fmt.Fprintf(h, "%s %d", occasion, f.calls[occasion])
	return rand.New(rand.NewPCG(f.seed, h.Sum64()))
}

func (f *fixture) notef(format string, args ...any) {
	f.trace = append(f.trace, f.clocks.service().Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// faultf notes a violation of the contract.
func (f *fixture) faultf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	f.notef("VIOLATION: %s", text)
	if !slices.Contains(f.faults, text) {
		f.faults = append(f.faults, text)
	}
}

// images returns the true images of a repository.
func (f *fixture) images(repo string) map[string]fakeecr.Image {
	images := map[string]fakeecr.Image{}
	for _, im := range f.server.Images(repo) {
		slices.Sort(im.Tags)
		images[im.Digest] = im
	}
	return images
}

func (f *fixture) report(t *testing.T) {
	t.Helper()
	t.Errorf("seed %d: %d violations\n%+v\nuses %+v", f.seed, len(f.faults), f.settings, f.uses)
	t.Log("\n" + strings.Join(f.trace, "\n"))
	for _, fault := range f.faults {
		t.Error(fault)
	}
}

package hostile_test

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// A scan is one question to all sources. It has their replies by name.
type scan struct {
	asked   time.Time
	replies map[string]*reply
	slow    bool // the run may not know the replies
}

// A reply is the answer of a source to one question.
type reply struct {
	fault    string
	ok       bool
	accounts []string // for which it failed; nil is all
	uses     []inuse.Use
	by       []*use
	named    int // the uses of images in an ECR registry
	findings []string
}

// A source is one in-use source in one scan. A few sources may name an image very often.
type source struct {
	name string
	ask  func(context.Context) scan
}

func (s source) Name() string { return s.name }

func (s source) Account() string { return accountOf(s.name) }

// MaxUses returns the number of uses of an image that a scan keeps.
func (s source) MaxUses() int {
	if s.name == list || s.name == prefix || strings.HasPrefix(s.name, "eks") {
		return 1
	}
	return 1_000
}

var errSource = errors.New("the service is down")

// Uses yields all uses that lasted from the question to the answer, and some of the
// uses that began in between.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		r := s.ask(ctx).replies[s.name]
		for _, u := range r.uses {
			if !yield(u, nil) {
				return
			}
		}
		if r.fault == "source panics" {
			panic("by the test")
		}
		if r.accounts != nil {
			err := inuse.AccountsError{}
			for _, id := range r.accounts {
				err[id] = errSource
			}
			yield(inuse.Use{}, err)
		} else if !r.ok {
			yield(inuse.Use{}, errSource)
		}
	}
}

// sources returns the sources for one scan. A scan queries them at the same time.
func (f *fixture) sources(c config.Config, _ string) []inuse.Source {
	settings := c.InUse()
	names := settings.Sources()
	var once sync.Once
	var s scan
	ask := func(ctx context.Context) scan {
		once.Do(func() { s = f.scan(ctx, names) })
		return s
	}
	all := make([]inuse.Source, len(names))
	for i, name := range names {
		all[i] = source{name, ask}
	}
	return all
}

// scan asks the sources. They answer one after the other, the slowest at the end.
func (f *fixture) scan(ctx context.Context, names []string) scan {
	f.mu.Lock()
	asked := f.clocks.service()
	s := scan{asked: asked, replies: map[string]*reply{}}
	takes := map[string]time.Duration{}
	for _, name := range names {
		random := f.chance("scan " + name)
		s.replies[name] = &reply{}
		takes[name] = pick(random, 0, 0, time.Second, 20*time.Second)
		if f.sourceFaults && random.IntN(4) == 0 {
			kind := pick(random, "source fails", "source is slow", "source names nothing", "source panics")
			f.tally.note("fault: " + kind)
			if s.replies[name].fault = kind; kind == "source is slow" {
				takes[name] = pick(random, 9*time.Minute, 11*time.Minute, 14*time.Minute)
			}
			f.notef("scan: %s: %s", name, kind)
		}
	}
	random := f.chance("scan")
	if images := f.images(f.repositories[0]); f.eventRate > 0 && len(images) > 0 && random.IntN(4) == 0 {
		digest := pick(random, slices.Sorted(maps.Keys(images))...)
		f.clocks.suspend(time.Second)
		f.pull(random, f.repositories[0], images[digest])
		f.notef("   event: pulled during the scan %s", f.names[digest])
		f.tally.note("event: pulled during the scan")
	}
	f.mu.Unlock()
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(takes[a], takes[b]) })
	passed := time.Duration(0)
	for _, name := range names {
		f.clocks.suspend(takes[name] - passed) // the cleaner may hold a mutex meanwhile, see pass
		passed = takes[name]
		f.mu.Lock()
		f.change(random, "", nil)
		f.answer(&s, name, random, ctx.Err())
		f.mu.Unlock()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remember(&s)
	s.slow = f.clocks.service().Sub(asked) >= maxScanAge-time.Minute
	if !s.slow && !f.jumped { // else the run may not know these uses
		for name, n := range s.named() {
			f.most[name] = max(f.most[name], n)
		}
	}
	f.scans = append(f.scans, s)
	return s
}

// answer makes the reply of the source. The caller holds the lock.
func (f *fixture) answer(s *scan, name string, random *rand.Rand, ended error) {
	r := s.replies[name]
	r.ok = ended == nil && r.fault != "source fails" && r.fault != "source panics"
	p, drawn := f.failing[name]
	after := math.MaxInt
	if drawn && r.ok && p.fails(len(f.scans)) {
		r.ok, r.accounts, after = false, p.accounts, p.after
		f.tally.note("fault: elsewhere, scans: " + p.scans)
	}
	for i := range f.uses {
		u := &f.uses[i]
		if len(r.uses) >= after && (p.accounts == nil || slices.Contains(p.accounts, u.account)) {
			continue
		}
		// The cleaner can detect a source that wrongly names nothing only if it named
		// something before.
		missing := r.fault == "source names nothing" && f.most[name] > 0 && u.kind != aFinding
		if u.source != name || u.ended || u.since.After(s.asked) && random.IntN(2) == 0 || missing {
			continue
		}
		r.add(u)
	}
	if r.fault == "source names nothing" && r.ok && random.IntN(2) == 0 {
		r.add(&use{source: name, kind: aFinding})
	}
	f.notef("scan: %s answered: ok %v, %d uses", name, r.ok, len(r.uses))
}

func (r *reply) add(u *use) {
	answer := u.answer()
	r.uses, r.by = append(r.uses, answer), append(r.by, u)
	switch u.kind {
	case aFinding:
		r.findings = append(r.findings, answer.Finding.Message)
	case byPath:
	default:
		r.named++
	}
}

// named returns the number of uses of each source that answered.
func (s *scan) named() map[string]int {
	named := map[string]int{}
	for name, r := range s.replies {
		if r.ok || r.accounts != nil {
			named[name] = r.named
		}
	}
	return named
}

// namedLast returns the number of uses of each source in the last scan.
func (f *fixture) namedLast() map[string]int {
	if len(f.scans) == 0 {
		return map[string]int{}
	}
	return f.scans[len(f.scans)-1].named()
}

package hostile_test

import (
	"bytes"
	"flag"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
)

var (
	registries = flag.Int("registries", 0, "how many registries are tried; 0 is a few thousand")
	firstSeed  = flag.Uint64("first", 1, "the seed of the first registry")
	survey     = flag.Bool("survey", false, "go on after violations, and count their kinds")
	oneSeed    = flag.Uint64("seed", 0, "try the registry of this seed only, and print its trace")
)

// TestHostile cleans random registries while everything around them changes and fails.
func TestHostile(t *testing.T) {
	t.Parallel()
	if *oneSeed > 0 {
		seen := &tally{}
		try(t, *oneSeed, seen)
		return
	}
	n := *registries
	if n == 0 {
		n = usual()
	}
	awstest.Seeds(t, *firstSeed, n, try, func(tallies []tally) {
		var all tally
		for i := range tallies {
			all.addAll(&tallies[i])
		}
		t.Logf("%d registries: %v", n, &all)
		if !t.Failed() && !*survey {
			all.enough(t, n)
		}
	})
}

// usual is how many registries are tried without the flag -registries.
func usual() int {
	switch {
	case awstest.Race:
		return 500
	case testing.Short():
		return 1_000
	}
	return 5_000
}

// try cleans the registry of the seed.
func try(t *testing.T, seed uint64, seen *tally) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t.Context(), seed, seen)
		f.clean(t)
		switch {
		case len(f.faults) > 0 && *survey:
			seen.survey(f)
		case len(f.faults) > 0:
			f.report(t)
		case *oneSeed > 0:
			t.Log("\n" + strings.Join(f.trace, "\n"))
		}
	})
}

// clean runs the programs on the registry, and judges.
func (f *fixture) clean(t *testing.T) {
	t.Helper()
	before := map[string]map[string]imageOf{}
	for _, repo := range f.repositories {
		before[repo] = f.images(repo)
	}
	switch f.mode {
	case "apply":
		if f.rounds {
			f.applyRounds(t)
		} else {
			f.apply(t, nil)
		}
	case "saved":
		f.applySaved(t)
	case "named":
		f.applyNamed(t)
	case "filtered":
		f.applyFiltered(t)
		delete(before, "web") // only the first repository is cleaned
	}
	if f.mode != "saved" && f.mode != "named" && f.isCalm() {
		f.judgeCalm(before)
	}
}

// isCalm reports whether nothing disturbs the trial, and nothing about other images keeps one.
func (f *fixture) isCalm() bool {
	if f.rounds && (f.unfinished || !f.excluded || len(f.failing) > 0) {
		return false // not all is handled, a run's own pulls count for the next, or its scans differ
	}
	aged := f.mode == "filtered" && f.shown && f.planAge > time.Hour // the images are older in the end
	return !aged && f.eventRate+f.faultRate == 0 && f.keepNewest == 0 && !f.sourceFaults && !f.logStalls && !f.exclusionFaults &&
		f.perRun+f.perRepo+10*f.percent == 3000
}

// runner returns a runner of a new process, which knows nothing of earlier processes.
func (f *fixture) runner(t *testing.T, run string) cleaner.Runner {
	t.Helper()
	c, problems := config.Parse([]byte(f.configuration()))
	awstest.NoError(t, problems.Err())
	hash, err := c.Hash()
	awstest.NoError(t, err)
	if run != "plan" {
		c.Mode = config.Apply
	}
	f.begin(run)
	cfg := awstest.Offline(&http.Client{Transport: f})
	registry := function.ConnectAt(cfg, pace.Limits{Start: f.workers, Most: f.workers}, f.clocks.machine)
	registry.Sources = f.sources
	r := registry.Runner(c, f.clocks.machine)
	r.ConfigurationHash, r.RunID, r.Log, r.MaxPlanAge = hash, f.id, function.NewLog(f.log), day
	if run != "plan" {
		r.Remover = registry.Remover
	}
	return r
}

func (f *fixture) apply(t *testing.T, saved *report.Report) {
	t.Helper()
	r := f.runner(t, "apply")
	r.Saved = saved
	report, err := r.Run(t.Context())
	f.pending.Wait()
	f.judgeReport(&report, err)
}

// applySaved plans, and applies the plan some time later.
func (f *fixture) applySaved(t *testing.T) {
	t.Helper()
	r := f.runner(t, "plan")
	rep, err := r.Run(t.Context())
	f.judgeReport(&rep, err)
	var text bytes.Buffer
	if err != nil || rep.WriteJSON(&text) != nil {
		return
	}
	saved, err := report.ReadPlan(text.Bytes())
	awstest.NoError(t, err)
	f.pause()
	f.apply(t, saved)
}

// pause lets time pass and others change the registry between a plan and its application.
func (f *fixture) pause() {
	f.mu.Lock()
	f.savedAt, f.saved = f.clocks.service(), map[string]map[string]imageOf{}
	for repo, v := range f.views {
		f.saved[repo] = v.listing
	}
	random := f.chance("between")
	f.mu.Unlock()
	for range 4 {
		time.Sleep(f.planAge / 4)
		f.mu.Lock()
		f.change(random, "", nil)
		f.mu.Unlock()
	}
}

// applyNamed deletes images that a person names, by digest or by tag, or only their tags.
func (f *fixture) applyNamed(t *testing.T) {
	t.Helper()
	r := f.runner(t, "named")
	repo := f.repositories[0]
	name := f.nameImages
	if f.tagOnly {
		name = f.nameTags
	}
	names := name(f.chance("names"), f.images(repo))
	f.notef("names %v, tags only %v", f.namesOf(names), f.tagOnly)
	report, err := r.RunChosen(t.Context(), repo, selection.Named(names, f.tagOnly))
	f.pending.Wait()
	f.judgeReport(&report, err)
}

func (f *fixture) nameImages(random *rand.Rand, images map[string]imageOf) (names []string) {
	f.named = map[string]bool{}
	for range 1 + random.IntN(3) {
		digest := pick(random, slices.Sorted(maps.Keys(images))...)
		f.named[digest] = true
		if tags := images[digest].Tags; len(tags) > 0 && random.IntN(3) == 0 && f.eventRate == 0 {
			names = append(names, tags[0])
		} else {
			names = append(names, digest)
		}
	}
	return names
}

func (f *fixture) namesOf(digests []string) []string {
	names := make([]string, len(digests))
	for i, digest := range digests {
		if names[i] = f.names[digest]; names[i] == "" {
			names[i] = digest
		}
	}
	return names
}

// A logFile keeps the log of all runs. Writing a line may take long.
type logFile struct {
	w    *fixture
	text bytes.Buffer
}

func (l *logFile) Write(line []byte) (int, error) {
	f := l.w
	f.mu.Lock()
	l.text.Write(line)
	if bytes.Contains(line, []byte(`"msg":"intent"`)) {
		f.lastLog = f.seq
	}
	var stall time.Duration
	var random *rand.Rand
	if f.logStalls {
		if random = f.chance("log"); random.IntN(8) == 0 {
			stall = pick(random, 3*time.Second, 20*time.Second, 3*time.Minute)
			f.notef("   fault: the log stalls %s", stall)
			f.tally.note("fault: log stall")
		}
	}
	f.mu.Unlock()
	if stall > 0 {
		f.pass(stall / 2)
		f.mu.Lock()
		f.change(random, "", nil)
		f.mu.Unlock()
		f.pass(stall / 2)
	}
	return len(line), nil
}

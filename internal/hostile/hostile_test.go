package hostile_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
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
	parts := runtime.GOMAXPROCS(0)
	tallies := make([]tally, parts)
	t.Cleanup(func() {
		var all tally
		for i := range tallies {
			all.addAll(&tallies[i])
		}
		t.Logf("%d registries: %v", n, &all)
		if !t.Failed() && !*survey {
			all.enough(t, n)
		}
	})
	for part := range parts {
		t.Run(fmt.Sprint("part ", part), func(t *testing.T) {
			t.Parallel()
			for i := part; i < n && !t.Failed(); i += parts {
				try(t, *firstSeed+uint64(i), &tallies[part])
			}
		})
	}
}

// usual is how many registries are tried without the flag -registries.
func usual() int {
	switch {
	case raceDetector:
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
		w := newWorld(t.Context(), seed, seen)
		w.clean(t)
		switch {
		case len(w.faults) > 0 && *survey:
			seen.survey(w)
		case len(w.faults) > 0:
			w.report(t)
		case *oneSeed > 0:
			t.Log("\n" + strings.Join(w.trace, "\n"))
		}
	})
}

// clean runs the programs on the registry, and judges.
func (w *world) clean(t *testing.T) {
	t.Helper()
	before := map[string]map[string]imageOf{}
	for _, repo := range w.repositories {
		before[repo] = w.images(repo)
	}
	switch w.mode {
	case "apply":
		w.apply(t, nil)
		if w.eventRate+w.faultRate == 0 && w.keepNewest == 0 && !w.sourceFaults && !w.logStalls && !w.exclusionFaults && w.perRun+w.perRepo+10*w.percent == 3000 {
			w.judgeCalm(before)
		}
	case "saved":
		w.applySaved(t)
	case "named":
		w.applyNamed(t)
	}
}

// runner returns a runner of a new process, which knows nothing of earlier processes.
func (w *world) runner(t *testing.T, run string) cleaner.Runner {
	t.Helper()
	c, problems := config.Parse([]byte(w.configuration()))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	hash, err := c.Hash()
	if err != nil {
		t.Fatal(err)
	}
	if run != "plan" {
		c.Mode = config.Apply
	}
	w.begin(run)
	cfg := awsclient.Local("http://registry.invalid", region)
	cfg.HTTPClient = &http.Client{Transport: w}
	registry := function.ConnectAt(cfg, pace.Limits{Start: w.workers, Most: w.workers}, w.clocks.machine)
	registry.Sources = func(config.Config) []inuse.Source { return []inuse.Source{w} }
	r := registry.Runner(c, w.clocks.machine)
	r.ConfigurationHash, r.RunID, r.Log, r.MaxPlanAge = hash, run, function.NewLog(w.log), day
	if run != "plan" {
		r.Remover = registry.Remover
	}
	return r
}

func (w *world) apply(t *testing.T, saved *cleaner.Report) {
	t.Helper()
	r := w.runner(t, "apply")
	r.Saved = saved
	report, err := r.Run(t.Context())
	w.pending.Wait()
	w.judgeReport(&report, err)
}

// applySaved plans, and applies the plan some time later.
func (w *world) applySaved(t *testing.T) {
	t.Helper()
	r := w.runner(t, "plan")
	report, err := r.Run(t.Context())
	w.judgeReport(&report, err)
	var text bytes.Buffer
	if err != nil || report.WriteJSON(&text) != nil {
		return
	}
	saved, err := cleaner.ReadSavedPlan(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.savedAt, w.saved = w.clocks.service(), map[string]map[string]imageOf{}
	for repo, v := range w.views {
		w.saved[repo] = v.listing
	}
	if len(w.scans) > 0 {
		w.savedNamed = w.scans[len(w.scans)-1].named
	}
	random := w.chance("between")
	w.mu.Unlock()
	for range 4 {
		time.Sleep(w.planAge / 4)
		w.mu.Lock()
		w.stir(random, "", nil)
		w.mu.Unlock()
	}
	w.apply(t, saved)
}

// applyNamed deletes images that a person names, by digest or by tag.
func (w *world) applyNamed(t *testing.T) {
	t.Helper()
	r := w.runner(t, "named")
	repo := w.repositories[0]
	images := w.images(repo)
	random := w.chance("names")
	var names []string
	w.named = map[string]bool{}
	for range 1 + random.IntN(3) {
		digest := pick(random, slices.Sorted(maps.Keys(images))...)
		w.named[digest] = true
		if tags := images[digest].Tags; len(tags) > 0 && random.IntN(3) == 0 && w.eventRate == 0 {
			names = append(names, tags[0])
		} else {
			names = append(names, digest)
		}
	}
	w.notef("names %v", w.namesOf(names))
	report, err := r.RunNamed(t.Context(), repo, names)
	w.pending.Wait()
	w.judgeReport(&report, err)
}

func (w *world) namesOf(digests []string) []string {
	names := make([]string, len(digests))
	for i, digest := range digests {
		if names[i] = w.names[digest]; names[i] == "" {
			names[i] = digest
		}
	}
	return names
}

// A logFile keeps the log of all runs. Writing a line may take long.
type logFile struct {
	w    *world
	text bytes.Buffer
}

func (l *logFile) Write(line []byte) (int, error) {
	w := l.w
	w.mu.Lock()
	l.text.Write(line)
	if bytes.Contains(line, []byte(`"msg":"intent"`)) {
		w.lastLog = w.seq
	}
	var stall time.Duration
	var random *rand.Rand
	if w.logStalls {
		if random = w.chance("log"); random.IntN(8) == 0 {
			stall = pick(random, 3*time.Second, 20*time.Second, 3*time.Minute)
			w.notef("   fault: the log stalls %s", stall)
			w.tally.note("fault: log stall")
		}
	}
	w.mu.Unlock()
	if stall > 0 {
		w.pass(stall / 2)
		w.mu.Lock()
		w.stir(random, "", nil)
		w.mu.Unlock()
		w.pass(stall / 2)
	}
	return len(line), nil
}

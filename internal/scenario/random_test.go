package scenario_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// registries is how many random registries are tried. To try one again, set
// SCENARIO_SEED to the seed that a failure prints.
func registries() int {
	switch {
	case testing.Short():
		return 500
	case raceDetector:
		return 1_000
	}
	return 10_000
}

func TestRandomRegistries(t *testing.T) {
	t.Parallel()
	if text := os.Getenv("SCENARIO_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		try(t, seed)
		return
	}
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := next.Add(1); seed <= uint64(registries()) && !t.Failed(); seed = next.Add(1) {
				try(t, seed)
			}
		})
	}
	wg.Wait()
}

// try makes the trial of a seed and, when it fails, looks for a smaller one
// that fails too.
func try(t *testing.T, seed uint64) {
	t.Helper()
	trial := generate(rand.New(rand.NewPCG(seed, 0)))
	if err := trial.run(t); err != nil {
		trial = trial.shrink(func(t2 trialT) bool { return t2.run(t) != nil })
		t.Errorf("seed %d: %v\nof which is left: %v\n%v", seed, err, trial.run(t), trial)
	}
}

type trialT = trial

// run plans, applies and applies again, and judges each.
func (t trial) run(tb testing.TB) error {
	w := newQuickWorld(t.picture)
	w.server.ExcludePulls(t.pullsAreNotRecorded)
	for name, code := range t.refused {
		w.server.RefuseImage(digestOf(name), code)
	}
	w.source("ecs").answer(tb, t.useLines())
	untouched := w.contents(t)
	plan := w.plan(tb, t.configuration())
	if calls := w.server.Calls(); calls["BatchDeleteImage"]+calls["UpdateImageStorageClass"] > 0 {
		return fmt.Errorf("a plan makes the calls %v", calls)
	}
	first, err := t.apply(tb, w, &plan)
	if err != nil {
		return fmt.Errorf("first run: %w", err)
	}
	between := w.contents(t)
	second, err := t.apply(tb, w, nil)
	if err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	if err := t.idle(&first, &second); err != nil {
		return err
	}
	for _, repo := range t.picture {
		l := newLaw(t, repo.name, untouched[repo.name])
		if err := l.torn(between[repo.name]); err != nil {
			return fmt.Errorf("%s is torn: %w", repo.name, err)
		}
	}
	return nil
}

// contents returns what the repositories hold.
func (w *world) contents(t trial) map[string][]fakeecr.Image {
	contents := map[string][]fakeecr.Image{}
	for _, repo := range t.picture {
		contents[repo.name] = w.server.Images(repo.name)
	}
	return contents
}

// apply applies the configuration and compares what comes of it with the law
// and with the plan that was made before, unless that is nil.
func (t trial) apply(tb testing.TB, w *world, plan *cleaner.Report) (cleaner.Report, error) {
	before := w.contents(t)
	report := w.apply(tb, t.configuration())
	after := w.contents(t)
	budget := t.perRun
	var faults []error
	for i, repo := range t.picture {
		r := newLaw(t, repo.name, before[repo.name]).reckon()
		planned := r.planned()
		if planned > t.perRepository || planned*100 > t.percent*len(r.images) || planned > budget {
			r.fates = make([]int, len(r.fates))
		} else {
			budget -= planned
			r.carryOut()
		}
		faults = append(faults, r.compare(after[repo.name]), outcomesSay(&report.Repositories[i]))
		if plan != nil {
			faults = append(faults, t.contains(&plan.Repositories[i], &report.Repositories[i]))
		}
	}
	err := errors.Join(faults...)
	if err != nil {
		err = fmt.Errorf("%w\nreported were\n%s", err, strings.Join(w.outcomes(&report), "\n"))
	}
	return report, err
}

// compare compares what is left with what should be.
func (r *reckoning) compare(after []fakeecr.Image) error {
	var faults []error
	for i, im := range r.images {
		at := slices.IndexFunc(after, func(a fakeecr.Image) bool { return a.Digest == im.Digest })
		got := stay
		switch {
		case at < 0:
			got = remove
		case after[at].Status != im.Status:
			got = archive
		}
		if got != r.fates[i] {
			faults = append(faults, fmt.Errorf("%s/%s: fate is %d, should be %d (wanted %d, vetoed %v)",
				r.repository, im.Digest, got, r.fates[i], r.wants[i], r.vetoed[i]))
		}
	}
	return errors.Join(faults...)
}

// outcomesSay checks that every image that was to go has an outcome, and one
// that says why if it did not.
func outcomesSay(r *cleaner.RepositoryReport) error {
	for _, im := range r.Images {
		done := im.Outcome == cleaner.Deleted || im.Outcome == cleaner.MovedToArchive
		why := (im.Outcome == cleaner.Blocked || im.Outcome == cleaner.Failed) && im.Message != ""
		if toGo := len(im.ProtectedBy) == 0 && r.Skipped == ""; toGo != (done || why) {
			return fmt.Errorf("%s/%s: outcome %q %q, protected by %v, skipped %q", r.Name, im.ImageDigest, im.Outcome, im.Message, im.ProtectedBy, r.Skipped)
		}
	}
	return nil
}

// contains checks that all that went was in the plan and, unless the reading for
// the plan counted as pulls, in the same way.
func (t trial) contains(plan, applied *cleaner.RepositoryReport) error {
	for _, im := range applied.Images {
		if im.Outcome != cleaner.Deleted && im.Outcome != cleaner.MovedToArchive {
			continue
		}
		if !slices.ContainsFunc(plan.Images, func(p cleaner.ImageReport) bool {
			same := p.Verdict == im.Verdict || !t.pullsAreNotRecorded
			return p.ImageDigest == im.ImageDigest && same && len(p.ProtectedBy) == 0
		}) {
			return fmt.Errorf("%s/%s went by %s, which was not in the plan", plan.Name, im.ImageDigest, im.Verdict)
		}
	}
	return nil
}

// idle checks that a second run finds nothing to remove. There are two reasons
// why it may: the first one had no budget left for the repository; and where an
// index is gone or archived its children are no children any more, so that they
// count among the newest that are kept and others do so no longer.
func (t trial) idle(first, second *cleaner.Report) error {
	indexWent := false
	for i := range first.Repositories {
		if first.Repositories[i].Skipped == cleaner.SkipLimit {
			return nil
		}
		indexWent = indexWent || first.Totals.Deleted+first.Totals.Archived > 0
	}
	if removed := second.Totals.Deleted + second.Totals.Archived; removed > 0 && (t.keepNewest == 0 || !indexWent) {
		return fmt.Errorf("the second run removes %d images", removed)
	}
	return nil
}

// torn checks what is left of a repository against the facts, known to the
// engine or not: what belongs together, what is in use and what is protected.
func (l *law) torn(after []fakeecr.Image) error {
	left := map[string]string{} // status by digest
	for _, im := range after {
		left[im.Digest] = im.Status
	}
	reach := func(i int) int {
		switch left[l.images[i].Digest] {
		case "":
			return remove
		case "ARCHIVED":
			return archive
		}
		return stay
	}
	inUse := l.usedWithChildren()
	for i, im := range l.images {
		moved := left[im.Digest] != im.Status
		switch {
		case moved && inUse[i]:
			return fmt.Errorf("%s went although it is in use", im.Digest)
		case moved && l.vetoed[i]:
			return fmt.Errorf("%s went although it is protected", im.Digest)
		}
		for _, p := range l.parents(i, true) {
			if moved && reach(p) < reach(i) {
				return fmt.Errorf("%s went further than %s, to which it belongs", im.Digest, l.images[p].Digest)
			}
		}
	}
	return nil
}

// usedWithChildren returns the images in use with all that belongs to them as
// indexes and children. What is in the archive cannot be pulled, so that its
// children are not in use by it.
func (l *law) usedWithChildren() map[int]bool {
	used := l.used(true)
	for grew := true; grew; {
		grew = false
		for i := range l.images {
			for _, p := range l.indexes(i, true) {
				if used[p] && !used[i] && l.images[p].Status != "ARCHIVED" {
					used[i], grew = true, true
				}
			}
		}
	}
	return used
}

// shrink takes out images, uses and repositories while the trial fails.
func (t trial) shrink(fails func(trial) bool) trial {
	for smaller := true; smaller; {
		smaller = false
		for _, candidate := range t.smaller() {
			if fails(candidate) {
				t, smaller = candidate, true
				break
			}
		}
	}
	return t
}

func (t trial) smaller() []trial {
	var candidates []trial
	for i := range t.picture {
		if len(t.picture) > 1 {
			c := t
			c.picture = slices.Delete(slices.Clone(t.picture), i, i+1)
			candidates = append(candidates, c)
		}
		for n := range t.picture[i].images {
			c := t
			c.picture = slices.Clone(t.picture)
			c.picture[i].images = slices.Delete(slices.Clone(t.picture[i].images), n, n+1)
			candidates = append(candidates, c)
		}
	}
	for i := range t.uses {
		c := t
		c.uses = slices.Delete(slices.Clone(t.uses), i, i+1)
		candidates = append(candidates, c)
	}
	return candidates
}

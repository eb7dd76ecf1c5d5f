package scenario_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// registries is the number of random registries. To try one again, set SCENARIO_SEED to
// the seed that a failure prints.
func registries() int {
	switch {
	case testing.Short():
		return 500
	case awstest.Race:
		return 1_000
	}
	return 10_000
}

// TestRandomRegistries plans, applies and applies again on random registries, and judges
// the results.
func TestRandomRegistries(t *testing.T) {
	t.Parallel()
	if seed, set := oneSeed(t, "SCENARIO_SEED"); set {
		try(t, seed)
		return
	}
	awstest.Seeds(t, 0, registries(), func(t *testing.T, seed uint64, _ *struct{}) { try(t, seed) }, nil)
}

// oneSeed returns the seed in an environment variable, if it is set.
func oneSeed(t *testing.T, variable string) (seed uint64, set bool) {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return 0, false
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	awstest.NoError(t, err)
	return seed, true
}

// try runs the trial of a seed. If it fails, it looks for a smaller trial that fails too.
func try(t *testing.T, seed uint64) {
	t.Helper()
	drawn := generate(rand.New(rand.NewPCG(seed, 0)))
	if err := drawn.run(t); err != nil {
		least := drawn.shrink(func(smaller trial) bool { return smaller.run(t) != nil })
		t.Errorf("seed %d: %v\nof which is left: %v\n%v", seed, err, least.run(t), least)
	}
}

// run plans, applies and applies again, and judges each result.
func (t trial) run(tb testing.TB) error {
	f := newQuickFixture(t.picture)
	f.server.ExcludePulls(t.pullsAreNotRecorded)
	for name, code := range t.refused {
		f.server.RefuseImage(digestOf(name), code)
	}
	t.answer(tb, f)
	untouched := f.contents(t)
	plan := f.plan(tb, t.configuration())
	if calls := f.server.Calls(); calls["BatchDeleteImage"]+calls["UpdateImageStorageClass"] > 0 {
		return fmt.Errorf("a plan makes the calls %v", calls)
	}
	first, err := t.apply(tb, f, &plan)
	if err != nil {
		return fmt.Errorf("first run: %w", err)
	}
	between := f.contents(t)
	second, err := t.apply(tb, f, nil)
	if err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	if err := t.idle(&first, &second); err != nil {
		return err
	}
	for _, repo := range t.picture {
		m := newModel(t, repo.name, untouched[repo.name])
		if err := m.torn(between[repo.name]); err != nil {
			return fmt.Errorf("%s is torn: %w", repo.name, err)
		}
	}
	return nil
}

// contents returns the images of the repositories.
func (f *fixture) contents(t trial) map[string][]fakeecr.Image {
	contents := map[string][]fakeecr.Image{}
	for _, repo := range t.picture {
		contents[repo.name] = f.server.Images(repo.name)
	}
	return contents
}

// apply applies the configuration and compares the result with the model and, unless it
// is nil, with the plan.
func (t trial) apply(tb testing.TB, f *fixture, plan *report.Report) (report.Report, error) {
	before := f.contents(t)
	report := f.apply(tb, t.configuration())
	after := f.contents(t)
	budget := t.perRun
	var faults []error
	for i, repo := range t.picture {
		e := newModel(t, repo.name, before[repo.name]).expect()
		planned := e.planned()
		if planned > t.perRepository || planned*100 > t.percent*len(e.images) || planned > budget {
			e.dispositions, e.untag = make([]int, len(e.dispositions)), make([][]string, len(e.dispositions))
		} else {
			budget -= planned
			e.carryOut()
		}
		faults = append(faults, e.compare(after[repo.name]), outcomesSay(&report.Repositories[i]))
		if plan != nil {
			faults = append(faults, t.contains(&plan.Repositories[i], &report.Repositories[i]))
		}
	}
	err := errors.Join(faults...)
	if err != nil {
		err = fmt.Errorf("%w\nreported were\n%s", err, strings.Join(f.outcomes(&report), "\n"))
	}
	return report, err
}

// shrink removes images, uses and repositories while the trial fails.
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

package scenario_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// An event that is delivered twice at the same time makes two runs that know nothing of
// each other. Together they have the result of one run.
func TestTwoRunsAtOnceDoWhatOneDoes(t *testing.T) {
	t.Parallel()
	met := map[plan.Outcome]int{}
	for seed := uint64(0); seed < uint64(repeats()) && !t.Failed(); seed++ {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 4))
			trial := drawSteady(random)
			if random.IntN(3) == 0 {
				other := generate(random)
				other.perRepository, other.percent, other.perRun = 1000, 100, 10000 // limits are of each run
				clear(other.refused)
				trial = &other
			}
			f := trial.newFixture(t)
			before := f.contents(*trial)
			reports := handle(t, random, trial.deliver(f, 2*seed), trial.deliver(f, 2*seed+1))
			after := f.contents(*trial)
			err := trial.shared(before, after, reports, met)
			if trial.steady {
				err = errors.Join(err, trial.asOneRunLeaves(t, nil, after))
			}
			if err != nil {
				t.Errorf("seed %d: %v\n%s\nand\n%s\n%v", seed, err, strings.Join(f.outcomes(reports[0]), "\n"), strings.Join(f.outcomes(reports[1]), "\n"), trial)
			}
		})
	}
	t.Logf("outcomes of the one where the other removed: %v", met)
	if met[plan.Gone] < repeats()/20 {
		t.Error("the runs hardly ever meet")
	}
}

// shared checks that both runs had no errors, and that exactly one of them reports the
// removal of each removed image. met counts the outcomes of the other run.
func (t *trial) shared(before, after map[string][]fakeecr.Image, reports []*report.Report, met map[plan.Outcome]int) error {
	var faults []error
	for i, r := range reports {
		if r.Incomplete || r.Totals.Failed+r.Totals.NotAttempted > 0 || len(r.Repositories) != len(t.picture) {
			return fmt.Errorf("run %d: incomplete %v, %+v", i, r.Incomplete, r.Totals)
		}
	}
	for i, repo := range t.picture {
		for _, was := range before[repo.name] {
			reported := map[plan.Outcome]int{} // one run may take the tags for which the other deletes the image
			d := deed{was: was, is: imageOf(after[repo.name], was.Digest)}
			for _, r := range reports {
				switch said := reportOf(&r.Repositories[i], was.Digest).Outcome; said {
				case plan.Deleted, plan.MovedToArchive, plan.Untagged:
					reported[said]++
				default:
					met[said]++
				}
			}
			became := d.became()
			if became == "" && len(reported) > 0 || became != "" && reported[became] != 1 || slices.Max(append(slices.Collect(maps.Values(reported)), 0)) > 1 {
				faults = append(faults, fmt.Errorf("%s/%s: is %q, and the runs say that they did %v", repo.name, was.Digest, became, reported))
			}
		}
		faults = append(faults, newModel(*t, repo.name, before[repo.name]).torn(after[repo.name]))
	}
	return errors.Join(faults...)
}

// asOneRunLeaves checks that the registry is like after one run. between has the images
// after a run that was ended, or is nil: see [trial.mayDiffer].
func (t *trial) asOneRunLeaves(tb testing.TB, between, after map[string][]fakeecr.Image) error {
	tb.Helper()
	twin := t.newFixture(tb)
	report := twin.apply(tb, t.configuration())
	want := twin.contents(*t)
	for i, repo := range t.picture {
		if between != nil && t.mayDiffer(&report.Repositories[i], between[repo.name]) {
			continue
		}
		if got, want := stateOf(after[repo.name]), stateOf(want[repo.name]); got != want {
			return fmt.Errorf("%s is\n%s\nand after one run\n%s", repo.name, twin.named(got), twin.named(want))
		}
	}
	return nil
}

// An event that is delivered again later makes a run that removes nothing.
func TestTheSameEventAgainDoesNothing(t *testing.T) {
	t.Parallel()
	for seed := uint64(0); seed < uint64(repeats()/4) && !t.Failed(); seed++ {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 5))
			trial := drawSteady(random)
			f := trial.newFixture(t)
			first := handle(t, random, trial.deliver(f, seed))[0]
			between := f.contents(*trial)
			second := handle(t, random, trial.deliver(f, seed))[0]
			if n := second.Totals; first.Incomplete || second.Incomplete || n.Deleted+n.Archived+n.Gone+n.Changed+n.Failed > 0 {
				t.Errorf("seed %d: the second run %+v\n%s\n%v", seed, n, strings.Join(f.outcomes(second), "\n"), trial)
			}
			if err := trial.asOneRunLeaves(t, nil, between); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
		})
	}
}

// Lambda delivers an event again if the function fails or times out. The second run
// completes the first.
func TestTheSameEventAgainAfterARunThatDied(t *testing.T) {
	t.Parallel()
	died, half := 0, 0
	for seed := uint64(0); seed < uint64(repeats()/2) && !t.Failed(); seed++ {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 6))
			trial := drawSteady(random)
			f := trial.newFixture(t)
			before := f.contents(*trial)
			if trial.die(t, f, random, seed) {
				died++
			}
			between := f.contents(*trial)
			second := handle(t, random, trial.deliver(f, seed))[0]
			after := f.contents(*trial)
			if second.Incomplete || second.Totals.Failed > 0 {
				t.Errorf("seed %d: the second run %+v", seed, second.Totals)
			}
			for _, repo := range trial.picture {
				if s := stateOf(between[repo.name]); s != stateOf(before[repo.name]) && s != stateOf(after[repo.name]) {
					half++
				}
				if err := newModel(*trial, repo.name, before[repo.name]).torn(after[repo.name]); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
			if err := trial.asOneRunLeaves(t, between, after); err != nil {
				t.Errorf("seed %d: %v\n%v", seed, err, trial)
			}
		})
	}
	t.Logf("%d runs died, %d repositories were half done then", died, half)
	if died < repeats()/4 || half < repeats()/50 {
		t.Error("the runs hardly ever die half-way")
	}
}

func TestWhatAnotherRunArchivesDoesNotHoldUpWhatGoesAlong(t *testing.T) {
	t.Parallel()
	f := newFixture(t, draw("child 90d\n index 90d >child"))
	f.onceBefore(second("DescribeImages"), func() {
		index := *imageOf(f.server.Images("app"), digestOf("index"))
		index.Status, index.LastArchivedAt = "ARCHIVED", noon
		f.server.Put("app", index)
	})
	report := f.apply(t, configuration("archive any pushed>30", "", ""))
	sameLines(t, "outcomes", f.outcomes(&report), "child: transition, archived\nindex: transition, changed: imageStatus changed since the plan")
}

package scenario_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// soaks is the number of random registries that are cleaned under faults, each in one or
// a few runs. To try one again, set SOAK_SEED to the seed that a failure prints.
func soaks() int {
	if testing.Short() || awstest.Race {
		return 200
	}
	return 1_500
}

// A soak is a random registry that is cleaned while its server fails and runs are
// stopped, cut short or killed.
type soak struct {
	trial
	*fixture
	random *rand.Rand
	line   *line
	faults fakeecr.Faults
	ending string
	// vanished has the images that another user deleted, by repository and digest.
	vanished map[string]bool
	// log has the logs of all runs; cuts counts its incomplete lines.
	log   runLog
	cuts  int
	runID string
}

// TestSoak cleans registries under faults and judges each run and its report. Then one
// more run without faults must bring the registry to its final state.
func TestSoak(t *testing.T) {
	t.Parallel()
	if seed, set := oneSeed(t, "SOAK_SEED"); set {
		var seen tally
		runSoak(t, seed, &seen)
		t.Logf("%+v", seen)
		return
	}
	awstest.Seeds(t, 0, soaks(), runSoak, func(tallies []tally) {
		var seen tally
		for i := range tallies {
			seen.add(&tallies[i])
		}
		t.Logf("%+v", seen)
		if !t.Failed() {
			seen.enough(t)
		}
	})
}

func runSoak(t *testing.T, seed uint64, seen *tally) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSoak(t, seed)
		if err := s.run(t, seen); err != nil {
			t.Errorf("SOAK_SEED=%d: %v\n%v\nending: %s\nfaults: %+v", seed, err, s.trial, s.ending, s.faults)
		}
	})
}

func newSoak(t *testing.T, seed uint64) *soak {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	s := &soak{trial: generate(random), random: random, vanished: map[string]bool{}}
	switch random.IntN(8) {
	case 0, 1, 2, 3:
		s.trial.loosen(random)
	case 4:
		s.trial.unname(random)
	}
	s.fixture = s.newFixture(t)
	return s
}

// loosen makes the trial remove many images, for reasons that do not depend on other
// images. One run then has the same result as several runs.
func (t *trial) loosen(random *rand.Rand) {
	for i, repo := range t.picture {
		t.policies[repo.name] = pick(random, "expire any pushed>1", "expire any pushed>7", "archive any pushed>1", "expire dead-* pushed>7; expire any pushed>1")
		t.picture[i].attached = ""
	}
	t.keepNewest, t.pulledWithinDays, t.pushedWithinHours, t.tagPatterns = 0, 0, 0, []string{}
	t.perRepository, t.percent, t.perRun = 1000, 100, 10000
	t.orphans, t.pullsAreNotRecorded, t.steady = "delete", true, true
}

// unname makes the trial remove tags from images that have other tags.
func (t *trial) unname(random *rand.Rand) {
	t.loosen(random)
	t.steady = false
	for i, repo := range t.picture {
		t.policies[repo.name] = "untag dev-* pushed>1"
		for n := range repo.images {
			im := &t.picture[i].images[n]
			im.tags = append(slices.Clone(im.tags), fmt.Sprint("release-", n))
			for k := range random.IntN(4) {
				im.tags = append(im.tags, fmt.Sprintf("dev-%d-%d", n, k))
			}
		}
	}
}

// newFixture returns the registry of the trial before any run.
func (s *soak) newFixture(t *testing.T) *fixture {
	t.Helper()
	f := emptyFixture(s.picture)
	f.server.ExcludePulls(s.pullsAreNotRecorded)
	for name, code := range s.trial.refused {
		f.server.RefuseImage(digestOf(name), code)
	}
	s.answer(t, f)
	s.connect(f)
	return f
}

// connect starts a process, which knows nothing of earlier processes.
func (s *soak) connect(f *fixture) {
	s.line = newLine(f.server)
	f.connectOver(s.line, pick(s.random, pace.Limits{Start: 1, Most: 1}, pace.Limits{Start: 2, Most: 4}))
}

// run cleans the registry under faults in one or a few runs, and then without faults.
func (s *soak) run(t *testing.T, seen *tally) error {
	t.Helper()
	for range pick(s.random, 1, 1, 1, 2, 3) {
		if err := s.disturbed(t, seen); err != nil {
			return err
		}
	}
	s.faults, s.ending = fakeecr.Faults{}, ""
	left := s.contents(s.trial)
	if _, err := s.trial.apply(t, s.fixture, nil); err != nil {
		return fmt.Errorf("the run without faults: %w", err)
	}
	if !s.steady || len(s.vanished) > 0 {
		return nil
	}
	return s.reached(t, left, seen)
}

// reached checks that the registry is like after one run without faults.
func (s *soak) reached(t *testing.T, left map[string][]fakeecr.Image, seen *tally) error {
	t.Helper()
	twin := s.newFixture(t)
	report := twin.apply(t, s.configuration())
	want, got := twin.contents(s.trial), s.contents(s.trial)
	var faults []error
	for i, repo := range s.picture {
		if s.mayDiffer(&report.Repositories[i], left[repo.name]) {
			continue
		}
		seen.same++
		if g, w := stateOf(got[repo.name]), stateOf(want[repo.name]); g != w {
			faults = append(faults, fmt.Errorf("%s is\n%s\nand without faults\n%s", repo.name, s.named(g), s.named(w)))
		}
	}
	if len(faults) > 0 {
		faults = append(faults, fmt.Errorf("%s", strings.Join(twin.outcomes(&report), "\n")))
	}
	return errors.Join(faults...)
}

// mayDiffer reports whether several runs, of which one was ended and left these images,
// may have another result than one run with that report. A run that ends early may leave
// images that a later run cannot match with their related images: images that only
// followed another image, and referrers in a repository that has only referrers now.
func (t *trial) mayDiffer(report *report.Repository, left []fakeecr.Image) bool {
	return report.Followed > 0 || newModel(*t, report.Name, left).orphansStay()
}

// stateOf returns the images of a repository as text.
func stateOf(images []fakeecr.Image) string {
	var b strings.Builder
	for _, im := range images {
		fmt.Fprintln(&b, im.Digest, im.Status, im.Tags)
	}
	return b.String()
}

package cleaner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

const aFault = "the program is faulty: fault; please report it"

// newFaultyRunner returns a runner for three repositories. In one of them a listing or a
// deletion panics.
func newFaultyRunner(t *testing.T, where string) (cleaner.Runner, *logged) {
	t.Helper()
	w := newFakeRegistry(image("a", 9*day)).Add("faulty", image("a", 9*day)).Add("web", image("a", 9*day))
	r := newRunner(t, w, withPolicy(expireOld, ""))
	reader, remover := w.Reader(), w.Remover()
	images, remove := reader.ImagesFunc, remover.DeleteFunc
	reader.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
		if repository == "faulty" && where == "listing" {
			panic("fault")
		}
		return images(ctx, repository)
	}
	remover.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
		if repository == "faulty" {
			panic("fault")
		}
		return remove(ctx, repository, digests)
	}
	log := &logged{}
	r.Registry, r.Remover, r.Workers, r.Log = reader, remover, 1, log.Logger()
	return r, log
}

// After a fault in one repository the run continues with the others. The report has the
// fault.
func TestAPanicInOneRepositoryDoesNotStopTheRun(t *testing.T) {
	t.Parallel()
	modes := map[string]func(*cleaner.Runner){
		"plan":  func(r *cleaner.Runner) { r.Remover = nil },
		"apply": func(*cleaner.Runner) {},
		"saved plan": func(r *cleaner.Runner) {
			whole, _ := newFaultyRunner(t, "")
			whole.Remover = nil
			saved := run(t, &whole)
			r.Saved = &saved
		},
	}
	for mode, set := range modes {
		for _, where := range []string{"listing", "deletion"} {
			r, _ := newFaultyRunner(t, where)
			set(&r)
			report := run(t, &r)
			faulty, others := repositoryOf(t, &report, "faulty"), report.Totals
			words, want := faulty.Message, 2
			switch {
			case mode == "plan" && where == "deletion":
				words, want = aFault, 3 // there is none
				others.Deleted = others.Expired
			case mode == "plan":
				others.Deleted = others.Expired
			case where == "deletion":
				words = faulty.Images[0].Message
			}
			if others.Deleted != want || report.Incomplete != (want == 2) || !strings.HasPrefix(words, aFault) {
				t.Errorf("%s, %s: totals %+v, message %q", mode, where, report.Totals, words)
			}
		}
	}
}

// A run for named images has one repository, and reports the fault too.
func TestAPanicInTheNamedRepositoryIsReported(t *testing.T) {
	t.Parallel()
	r, log := newFaultyRunner(t, "listing")
	_, err := r.RunNamed(t.Context(), "faulty", []string{"a"})
	if err == nil || err.Error() != aFault || !strings.Contains(log.String(), "guard_test.go") {
		t.Errorf("error %v, log\n%s", err, log)
	}
	r, _ = newFaultyRunner(t, "deletion")
	report, err := r.RunNamed(t.Context(), "faulty", []string{"a"})
	if err != nil || report.Totals.Unknown != 1 || report.Handled() {
		t.Errorf("error %v, totals %+v", err, report.Totals)
	}
}

// Each day starts with another repository. On one day every run has the same order.
func TestTheRotationOrderIsThatOfTheDay(t *testing.T) {
	t.Parallel()
	begun := func(now time.Time, rotate bool) string {
		w := newFakeRegistry()
		for i := range 20 {
			w.Add(fmt.Sprint("r", i))
		}
		r := newRunner(t, w, withPolicy(expireOld, ""))
		reader := w.Reader()
		images := reader.ImagesFunc
		var names []string
		reader.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
			names = append(names, repository)
			return images(ctx, repository)
		}
		r.Registry, r.Workers, r.Now, r.Rotate = reader, 1, now, rotate
		report := run(t, &r)
		var reported []string
		for _, rr := range report.Repositories {
			reported = append(reported, rr.Name)
		}
		if !slices.Equal(reported, w.Names) {
			t.Errorf("reported in the order %v", reported)
		}
		return strings.Join(names, " ")
	}
	today, tonight, tomorrow := begun(now, true), begun(now.Add(time.Hour), true), begun(now.Add(day), true)
	if listing := begun(now, false); today == listing || today != tonight || today == tomorrow {
		t.Errorf("begun in the orders\n%s\n%s\n%s\n%s", listing, today, tonight, tomorrow)
	}
}

// A panic right before a call releases its place in the pace.
func TestAPanicReleasesThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(image("a", 9*day)).Add("first", image("a", 9*day)).Add("faulty", image("a", 9*day))
		waits := map[string]time.Duration{"faulty": time.Second, "app": 1500 * time.Millisecond}
		remover := w.Remover()
		describe, remove, descriptions := remover.DescribeFunc, remover.DeleteFunc, 0
		remover.DescribeFunc = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
			if repository == "faulty" {
				if descriptions++; descriptions == 2 {
					panic("fault")
				}
			}
			time.Sleep(waits[repository])
			return describe(ctx, repository, digests)
		}
		remover.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
			time.Sleep(3 * time.Second) // after which the others are re-checked
			return remove(ctx, repository, digests)
		}
		r := newRunner(t, w, expireAll)
		r.Remover, r.Pace = remover, pace.New(pace.Limits{Start: 1, Most: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		report, err := r.Run(ctx)
		if got := report.Totals; err != nil || got.Deleted != 2 || got.Failed != 1 || got.NotAttempted > 0 {
			t.Errorf("totals %+v, %v", got, err)
		}
	})
}

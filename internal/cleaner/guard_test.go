package cleaner_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const aFault = "the program is faulty: fault; please report it"

// newFaultyRunner returns a runner for three repositories. In one of them a listing or a
// deletion panics.
func newFaultyRunner(t *testing.T, where string) (cleaner.Runner, *logged) {
	t.Helper()
	w := newFakeRegistry(image("a", 9*day)).Add("faulty", image("a", 9*day)).Add("web", image("a", 9*day))
	r := newRunner(t, w, withPolicy(expireOld, ""))
	r.Registry = w.Reader().BeforeImages(func(repository string) {
		if repository == "faulty" && where == "listing" {
			panic("fault")
		}
	})
	r.Remover = w.Remover().BeforeDelete(func(repository string, _ []string) {
		if repository == "faulty" {
			panic("fault")
		}
	})
	log := &logged{}
	r.Workers, r.Log = 1, log.Logger()
	return r, log
}

// After a fault in one repository the run continues with the others. The report has the fault.
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
		var names []string
		r.Registry = w.Reader().BeforeImages(func(repository string) { names = append(names, repository) })
		r.Workers, r.Now, r.Rotate = 1, now, rotate
		report := run(t, &r)
		var reported []string
		for _, rr := range report.Repositories {
			reported = append(reported, rr.Name)
		}
		awstest.Equal(t, "order of the report", w.Names, reported)
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
		descriptions := 0
		r := newRunner(t, w, expireAll)
		r.Remover = w.Remover().BeforeDescribe(func(repository string) {
			if repository == "faulty" {
				if descriptions++; descriptions == 2 {
					panic("fault")
				}
			}
			time.Sleep(waits[repository])
		}).BeforeDelete(func(string, []string) { time.Sleep(3 * time.Second) }) // after which the others are re-checked
		r.Pace = pace.New(pace.Limits{Start: 1, Most: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		report, err := r.Run(ctx)
		if got := report.Totals; err != nil || got.Deleted != 2 || got.Failed != 1 || got.NotAttempted > 0 {
			t.Errorf("totals %+v, %v", got, err)
		}
	})
}

// While a large repository is listed, the other repositories are planned. They get their
// grants after it.
func TestALargeRepositoryDoesNotDelayThePlansOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(image("a", 9*day))
		for i := range 40 {
			w.Add(fmt.Sprint("r", i), image("a", 9*day))
		}
		var others sync.WaitGroup
		others.Add(40)
		r := newRunner(t, w, withPolicy(expireOld, `, "limits": {"maxDeletions": 30}`))
		r.Workers = 2
		r.Registry = w.Reader().BeforeImages(func(repository string) {
			if repository == "app" {
				others.Wait() // a deadlock, unless they are listed meanwhile
			} else {
				others.Done()
			}
		})
		report := run(t, &r)
		if got := repositoryOf(t, &report, "app"); report.Totals.Deleted != 30 || got.Deleted != 1 {
			t.Errorf("%d deleted, %d of them in the first", report.Totals.Deleted, got.Deleted)
		}
	})
}

// Beyond the limit only the first repository is listed further. Each of the others waits
// with one page in memory.
func TestTheImagesInMemoryAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry()
		for i := range 7 {
			w.Add(fmt.Sprint("r", i))
		}
		l := &listings{reader: w.Reader(), first: make(chan struct{})}
		r := newRunner(t, w, withPolicy(expireOld, ""))
		r.Registry, r.Remover, r.Workers = l, nil, 8
		done := make(chan report.Report)
		go func() { done <- run(t, &r) }()
		synctest.Wait() // the first repository waits, and for it all others
		if n := l.listed.Load(); n > 50_000+7*1000 {
			t.Errorf("%d images are in memory", n)
		}
		close(l.first)
		if report := <-done; report.Totals.Evaluated != 8*20_000 {
			t.Errorf("%d images evaluated", report.Totals.Evaluated)
		}
	})
}

// Listings yield 20,000 images of each repository. The repository "app" waits until first
// is closed.
type listings struct {
	reader
	first  chan struct{}
	listed atomic.Int64
}

func (l *listings) Images(_ context.Context, repository string) iter.Seq2[[]evaluator.Image, error] {
	return func(yield func([]evaluator.Image, error) bool) {
		if repository == "app" {
			<-l.first
		}
		for page := range slices.Chunk(numbered(20_000, 9*day), 1000) {
			l.listed.Add(int64(len(page)))
			if !yield(page, nil) {
				return
			}
		}
	}
}

// The report counts the images that do not fit.
func TestTheImagesInTheReportAreLimited(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day)).Add("big", numbered(100, 9*day)...).Add("small", image("b", 9*day))
	r := newRunner(t, w, withPolicy(expireOld, ""))
	r.Remover, r.MaxDetails = nil, 10_000
	report := run(t, &r)
	got := fmt.Sprint(len(report.Repositories[0].Images), len(report.Repositories[1].Images), len(report.Repositories[2].Images), *report.Omitted)
	if want := "1 0 1 {0 100 0 0}"; got != want || report.Totals.Expired != 102 || report.Repositories[1].Expired != 100 {
		t.Errorf("images and what is omitted: %s, want %s; totals %+v", got, want, report.Totals)
	}
	all := newRunner(t, w, withPolicy(expireOld, ""))
	all.Remover = nil
	if report := run(t, &all); report.Omitted != nil || len(report.Repositories[1].Images) != 100 {
		t.Errorf("without a bound %+v is omitted", report.Omitted)
	}
}

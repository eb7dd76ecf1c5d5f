package cleaner_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// While a large repository is listed, the other repositories are planned. They get their
// grants after it.
func TestALargeRepositoryDoesNotDelayThePlansOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(image("a", 9*day))
		for i := range 40 {
			w.Add(fmt.Sprint("r", i), image("a", 9*day))
		}
		reader := w.Reader()
		images, others := reader.ImagesFunc, sync.WaitGroup{}
		others.Add(40)
		reader.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
			if repository == "app" {
				others.Wait() // a deadlock, unless they are listed meanwhile
			} else {
				others.Done()
			}
			return images(ctx, repository)
		}
		r := newRunner(t, w, withPolicy(expireOld, `, "limits": {"maxDeletions": 30}`))
		r.Registry, r.Workers = reader, 2
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
	if want := "1 0 1 {0 100 0}"; got != want || report.Totals.Expired != 102 || report.Repositories[1].Expired != 100 {
		t.Errorf("images and what is omitted: %s, want %s; totals %+v", got, want, report.Totals)
	}
	all := newRunner(t, w, withPolicy(expireOld, ""))
	all.Remover = nil
	if report := run(t, &all); report.Omitted != nil || len(report.Repositories[1].Images) != 100 {
		t.Errorf("without a bound %+v is omitted", report.Omitted)
	}
}

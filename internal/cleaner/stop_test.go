package cleaner_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

const notAttempted = "not attempted: the run was stopped before this image; run again"

// The report of an interrupted run has the result of the call in progress.
func TestACallInProgressIsFinishedAfterAStop(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{"deleted": expireOld, "archived": archiveOld} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(index("i", 9*day), image("a", 9*day))
			w.Children["i"] = []string{"a"}
			ctx, cancel := context.WithCancel(t.Context())
			r := newRunner(t, w, `{"policies": [{"policy": `+policy+`}], `+unprotected+`}`)
			log := &logged{}
			r.Remover, r.Log = slowly(t, w, cancel), log.Logger()
			report, err := r.Run(ctx)
			if err != nil || !report.Incomplete || report.Handled() {
				t.Errorf("incomplete %t, %v", report.Incomplete, err)
			}
			wantOutcomes(t, map[string]string{"i": name, "a": notAttempted}, &report, log)
			if got := report.Totals; got.NotAttempted != 1 || got.Deleted+got.Archived != 1 || slices.Index(w.Calls, name[:6]) == 0 {
				t.Errorf("totals %+v", got)
			}
		})
	}
}

// slowly returns a remover of the registry whose removing calls are interrupted, and take a second.
func slowly(t *testing.T, w *fakeRegistry, interrupt func()) remover {
	t.Helper()
	r := w.Remover()
	remove, archive := r.DeleteFunc, r.ArchiveFunc
	wait := func(ctx context.Context) {
		interrupt()
		synctest.Wait()
		time.Sleep(time.Second)
		if ctx.Err() != nil {
			t.Error("the context of a removing call is done")
		}
	}
	r.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
		wait(ctx)
		return remove(ctx, repository, digests)
	}
	r.ArchiveFunc = func(ctx context.Context, repository, digest string) error {
		wait(ctx)
		return archive(ctx, repository, digest)
	}
	return r
}

// If the call in progress has no answer, the run describes its images.
func TestTheImagesOfACallInProgressAreDescribedAfterAStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(image("a", 9*day), image("b", 9*day))
		ctx, cancel := context.WithCancel(t.Context())
		r := newRunner(t, w, expireAll)
		remover := w.Remover()
		remover.DeleteFunc = func(_ context.Context, repository string, _ []string) (apply.Deletion, error) {
			w.Take("delete", repository, []string{"a"})
			cancel()
			return apply.Deletion{}, fixture.ErrUnanswered
		}
		describe := remover.DescribeFunc
		remover.DescribeFunc = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return describe(ctx, repository, digests)
		}
		log := &logged{}
		r.Remover, r.Log = remover, log.Logger()
		report, err := r.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, map[string]string{
			"a": "deleted: unconfirmed: delete: no answer, but not there any more", "b": "unknown: delete: no answer",
		}, &report, log)
	})
}

// A throttled call has removed nothing, so its images are not described.
func TestAStopEndsAPause(t *testing.T) {
	t.Parallel()
	for _, stopping := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("a", 9*day))
			ctx, cancel := context.WithCancel(t.Context())
			stop := make(chan struct{})
			r := newRunner(t, w, expireAll)
			remover := w.Remover()
			fixture.Failing(&remover, 1000, errThrottled, func(call int) {
				if call == 6 && stopping {
					close(stop)
				} else if call == 6 {
					cancel()
				}
			})
			log := &logged{}
			r.Remover, r.Log, r.Stop = remover, log.Logger(), stop
			start := time.Now()
			report, err := r.Run(ctx)
			cancel()
			if took := time.Since(start); err != nil || took > 16*time.Second {
				t.Errorf("it takes %v, %v", took, err)
			}
			wantOutcomes(t, map[string]string{"a": notAttempted}, &report, log)
			awstest.Equal(t, "descriptions, one before each attempt,", 6, len(w.Calls))
		})
	}
}

func TestAStopBetweenBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(numbered(250, 9*day)...)
		stop := make(chan struct{})
		r := newRunner(t, w, expireAll)
		r.Remover = w.Remover().BeforeDelete(func(string, []string) {
			if slices.Contains(w.Calls, "delete") {
				close(stop)
				synctest.Wait()
			}
		})
		log := &logged{}
		r.Log, r.Stop = log.Logger(), stop
		report := run(t, &r)
		awstest.Equal(t, "calls", []string{"describe", "delete", "describe", "delete"}, w.Calls)
		if got := report.Totals; got.Deleted != 200 || got.NotAttempted != 50 || !report.Incomplete {
			t.Errorf("totals %+v, incomplete %t", got, report.Incomplete)
		}
		wantOutcomes(t, reported(t, &report), &report, log)
	})
}

func TestNothingIsRemovedAfterAStop(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day))
	stop := make(chan struct{})
	r := newRunner(t, w, expireAll)
	r.Registry, r.Stop = w.Reader().BeforeImages(func(string) { close(stop) }), stop // while the plan is made
	report := run(t, &r)
	if report.Totals.NotAttempted != 1 || len(w.Calls) > 0 {
		t.Errorf("totals %+v, calls %v", report.Totals, w.Calls)
	}
}

// The report of an interrupted run has the cause of the interruption.
func TestAnInterruptedRunReportsTheCause(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day)).Add("web", image("a", 9*day))
	ctx, cancel := context.WithCancelCause(t.Context())
	reader := w.Reader()
	reader.ImagesFunc = func(ctx context.Context, _ string) ([]evaluator.Image, error) {
		cancel(errors.New("a signal came"))
		return nil, ctx.Err()
	}
	r := newRunner(t, w, expireAll)
	r.Registry, r.Stop, r.Workers = reader, ctx.Done(), 1
	report, err := r.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"app": "not read completely: a signal came", "web": "not started: a signal came"} {
		if rr := repositoryOf(t, &report, name); rr.Skipped != plan.SkipInterrupted || rr.Message != want {
			t.Errorf("%s: %q, %q, want %q", name, rr.Skipped, rr.Message, want)
		}
	}
	if !report.Incomplete || len(w.Calls) > 0 {
		t.Errorf("incomplete %t, calls %v", report.Incomplete, w.Calls)
	}
}

// An interrupted scan is not a failure of the in-use source.
func TestAnInterruptedScanIsNoFailureOfTheSource(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	r := newRunner(t, newFakeRegistry(image("a", 9*day)), `{"policies": [{"policy": `+expireOld+`}], "protect": {"inUse": ["ecs"]}}`)
	r.Clock = func() time.Time { return now }
	r.Scan = func(ctx context.Context) inuse.Scan {
		cancel(errors.New("a signal came"))
		return inuse.Scan{Failed: []inuse.Failure{{Source: "ecs", Err: ctx.Err()}}}
	}
	report, err := r.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if rr := repositoryOf(t, &report, "app"); rr.Skipped != plan.SkipInterrupted || rr.Message != "not read completely: a signal came" {
		t.Errorf("%q, %q", rr.Skipped, rr.Message)
	}
}

package cleaner_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func TestBudgetsOfEntriesAndOfTheRequestHoldOverRounds(t *testing.T) {
	t.Parallel()
	const text = `{"policies": [
		{"name": "a", "repositories": ["app-1*"], "policy": ` + expireOld + `, "limits": {"maxDeletions": 150}},
		{"name": "b", "repositories": ["app-2", "app-3"], "policy": ` + expireOld + `, "limits": {"maxDeletions": 40}},
		{"name": "c", "policy": ` + expireOld + `}], ` + unprotected + `, "limits": {"maxDeletions": 120}}`
	budgets := map[string]int{"a": 150, "b": 40, "c": 120}
	for seed := range uint64(40) {
		w, next, deleted, sum := randomRegistry(seed), &config.Continuation{}, map[string]int{}, report.Totals{}
		for rounds := int64(1); next != nil; rounds++ {
			r := newRunner(t, w, text)
			r.Continue, r.Workers, r.Config.MaxDeletions = next, 3, new(200)
			stopAt(&r, w, 1+rounds)
			got := run(t, &r)
			sum.AddRound(got.Totals)
			for _, repository := range got.Repositories {
				deleted[repository.Policy] += repository.Deleted
			}
			if next = got.Continuation; next == nil {
				break
			}
			want := []int{120 - deleted["c"], 150 - deleted["a"], 40 - deleted["b"], 200 - sum.Deleted}
			awstest.Equal(t, fmt.Sprintf("seed %d: left", seed), want, next.Left)
		}
		for name, n := range deleted {
			if n > budgets[name] {
				t.Errorf("seed %d: entry %s: %d of %d", seed, name, n, budgets[name])
			}
		}
		if sum.Deleted > 200 {
			t.Errorf("seed %d: %d of 200", seed, sum.Deleted)
		}
	}
}

// inTwoRuns stops the first run when stop is called, and returns the reports of both.
func inTwoRuns(t *testing.T, w *fakeRegistry, text string, remover func(stop func()) remover) (first, second report.Report) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := newRunner(t, w, text)
	r.Continue, r.Stop = &config.Continuation{}, ctx.Done()
	if remover != nil {
		r.Remover = remover(cancel)
	} else {
		r.Remover = nil
		r.Registry = w.Reader().BeforeImages(func(string) { cancel() })
	}
	first, err := r.Run(ctx)
	cancel()
	awstest.NoError(t, err)
	if first.Continuation == nil {
		t.Fatalf("the first run ended the registry: %+v", first.Totals)
	}
	next := newRunner(t, w, text)
	if next.Continue = first.Continuation; remover == nil {
		next.Remover = nil
	}
	return first, run(t, &next)
}

func TestAnArchivingRepositoryIsInterrupted(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(numbered(30, 9*day)...)
	first, second := inTwoRuns(t, w, `{"policies": [{"policy": `+archiveOld+`}], `+unprotected+`}`, func(stop func()) remover {
		archive, calls := w.Remover(), 0
		do := archive.ArchiveFunc
		archive.ArchiveFunc = func(ctx context.Context, repository, digest string) error {
			if calls++; calls == 3 {
				stop()
			}
			return do(ctx, repository, digest)
		}
		return archive
	})
	if !first.Repositories[0].Partial || first.Totals.Archived != 3 || first.Totals.Repositories != 0 || first.NotReached != 1 {
		t.Errorf("first run: %+v, %d not reached", first.Totals, first.NotReached)
	}
	sum := first.Totals
	sum.AddRound(second.Totals)
	if sum.Archived != 30 || sum.Transitioned+sum.Expired != 30 || sum.Repositories != 1 || sum.Evaluated != 30 || second.Continuation != nil {
		t.Errorf("both runs: %+v", sum)
	}
}

// An image with an unknown outcome takes its part of the budget, and stays in the sum.
func TestAnUnknownOutcomeOfAnInterruptedRepository(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(append(numbered(150, 9*day), image("young", 0))...)
	first, second := inTwoRuns(t, w, `{"policies": [{"policy": `+expireOld+`}], `+unprotected+`, "limits": {"maxDeletions": 1000}}`, func(stop func()) remover {
		remover := w.Remover()
		remover.DeleteFunc = func(context.Context, string, []string) (apply.Deletion, error) {
			stop()
			return apply.Deletion{}, fixture.ErrUnanswered
		}
		return remover
	})
	unknown := first.Totals.Unknown
	if unknown == 0 || unknown == 150 || first.Handled() || first.Continuation.Left[0] != 1000-unknown {
		t.Errorf("first run: %+v, left %v", first.Totals, first.Continuation.Left)
	}
	sum := first.Totals
	sum.AddRound(second.Totals)
	if sum.Unknown != unknown || sum.Deleted != 150 || sum.Repositories != 1 {
		t.Errorf("both runs: %+v", sum)
	}
}

func TestPlansContinue(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day)).Add("web", image("b", 9*day)).Add("api", image("c", 9*day))
	first, second := inTwoRuns(t, w, `{"policies": [{"policy": `+expireOld+`}], `+unprotected+`}`, nil)
	sum := first.Totals
	sum.AddRound(second.Totals)
	if sum.Repositories != 3 || sum.Expired != 3 || second.Continuation != nil || len(w.Calls) > 0 {
		t.Errorf("both runs: %+v, calls %v", sum, w.Calls)
	}
}

func TestAnEmptyRegistryHasNoAccount(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry()
	w.Names = nil
	r := newRunner(t, w, expireAll)
	r.Continue, r.Account = &config.Continuation{}, fixture.Account
	if got := run(t, &r); got.Continuation != nil || got.Incomplete || got.Totals.Repositories != 0 {
		t.Errorf("%+v", got)
	}
}

func TestASavedPlanCannotContinue(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day))
	r := newRunner(t, w, expireAll)
	r.Continue, r.Saved = &config.Continuation{}, &report.Report{}
	_, err := r.Run(t.Context())
	fixture.WantError(t, err, "a saved plan is applied in one run")
}

// A repository whose list takes longer than a run is listed again and again.
func TestARunWithoutProgress(t *testing.T) {
	t.Parallel()
	w, next := newFakeRegistry(image("a", 9*day)), &config.Continuation{}
	for round, want := range []bool{false, false} {
		ctx, cancel := context.WithCancel(t.Context())
		reader := w.Reader()
		reader.ImagesFunc = func(ctx context.Context, _ string) ([]evaluator.Image, error) {
			cancel()
			return nil, ctx.Err()
		}
		r := newRunner(t, w, expireAll)
		r.Continue, r.Registry, r.Stop = next, reader, ctx.Done()
		got, err := r.Run(ctx)
		cancel()
		awstest.NoError(t, err)
		awstest.Equal(t, fmt.Sprintf("progress of run %d", round+1), want, got.Progressed(next))
		next = got.Continuation
	}
}

// At most 500 repositories are handled ahead of one that stalls.
func TestRepositoriesBehindOneThatStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry()
		for i := range 1000 {
			w.Add(fmt.Sprintf("small-%d", i), image("a", 9*day))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var once sync.Once
		begun, reader := new(atomic.Int64), w.Reader()
		images := reader.ImagesFunc
		reader.ImagesFunc = func(ctx context.Context, repository string) (all []evaluator.Image, err error) {
			begun.Add(1)
			stalls := false
			once.Do(func() { stalls = true })
			if stalls {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return images(ctx, repository)
		}
		r := newRunner(t, w, expireAll)
		r.Continue, r.Registry, r.Stop, r.Remover, r.Workers = &config.Continuation{}, reader, ctx.Done(), nil, 8
		go func() {
			synctest.Wait()
			cancel()
		}()
		got, err := r.Run(ctx)
		awstest.NoError(t, err)
		c := got.Continuation
		if n := begun.Load(); n < 500 || n > 510 || c == nil || len(c.Done) < 490 || len(c.Done) > 500 {
			t.Fatalf("%d repositories have begun, %+v", n, c)
		}
		next := newRunner(t, w, expireAll)
		next.Continue, next.Remover = c, nil
		second := run(t, &next)
		sum := got.Totals
		sum.AddRound(second.Totals)
		awstest.Equal(t, "repositories", 1001, sum.Repositories)
	})
}

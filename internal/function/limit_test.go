package function_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const workers = 16

// A slowReader lists n repositories; to list the images of one takes its time.
type slowReader struct {
	plan.Registry
	n    int
	took func(repository string) time.Duration
}

func (s slowReader) Repositories(context.Context) iter.Seq2[plan.Repository, error] {
	return func(yield func(plan.Repository, error) bool) {
		for i := range s.n {
			if !yield(plan.Repository{Name: fmt.Sprintf("r%03d", i), RegistryID: "123456789012"}, nil) {
				return
			}
		}
	}
}

func (s slowReader) Images(ctx context.Context, repository string) iter.Seq2[[]evaluator.Image, error] {
	return func(yield func([]evaluator.Image, error) bool) {
		select {
		case <-time.After(s.took(repository)):
		case <-ctx.Done():
			yield(nil, ctx.Err())
		}
	}
}

// handleSlowly handles an event within the time and returns the report and how much time was left.
func handleSlowly(t *testing.T, within time.Duration, reader slowReader) (report *report.Report, left time.Duration) {
	t.Helper()
	return handleOn(t, within, `{}`, reader, nil)
}

func handleOn(t *testing.T, within time.Duration, event string, reader plan.Registry, remover apply.Remover) (report *report.Report, left time.Duration) {
	t.Helper()
	h := function.Handler{
		Configuration: expireAll, Now: time.Now, RunID: func(context.Context) string { return "" },
		Log: slog.New(slog.DiscardHandler),
		Connect: func(context.Context) (function.Registry, error) {
			return function.Registry{
				Concurrency: pace.Limits{Start: workers, Most: workers}, Pace: pace.New(pace.Limits{Start: 1, Most: 1}),
				Reader: reader, Remover: remover, Calls: func() map[string]int { return nil },
			}, nil
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	deadline, _ := ctx.Deadline()
	report, err := h.Handle(ctx, []byte(event))
	awstest.NoError(t, err)
	return report, time.Until(deadline)
}

// Lambda kills a function at its deadline, and with it the report.
func TestNothingIsBegunShortlyBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	for within, margin := range map[time.Duration]time.Duration{15 * time.Minute: function.MaxMargin, time.Minute: 6 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			const n = 2_000
			takes := margin / 4
			report, left := handleSlowly(t, within, slowReader{n: n, took: func(string) time.Duration { return takes }})
			begun := n - report.Totals.Skipped // of these all are for want of time
			want := int((within-margin)/takes) * workers
			if begun < want || begun > want+workers {
				t.Errorf("%d repositories are begun within %v, want %d", begun, within, want)
			}
			if left < margin/2 || !report.Incomplete || report.Totals.Repositories != n {
				t.Errorf("%v are left, incomplete %t, totals %+v", left, report.Incomplete, report.Totals)
			}
		})
	}
}

// What hangs must not cost the report on everything else.
func TestACallThatHangsEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := func(repository string) time.Duration {
			if repository == "r001" {
				return time.Hour
			}
			return time.Second
		}
		report, left := handleSlowly(t, 15*time.Minute, slowReader{n: 10, took: hangs})
		if left < function.MaxMargin/2 || report.Repositories[1].Skipped != plan.SkipDeadline {
			t.Errorf("%v are left, %+v", left, report.Repositories[1])
		}
		awstest.Equal(t, "skipped repositories", 1, report.Totals.Skipped)
	})
}

// hanging is a registry whose repositories have one expired image each. Its removing calls end only
// with their context. If blind, its re-checks after the first removing call do so, too.
type hanging struct {
	slowReader
	apply.Remover
	image   evaluator.Image
	blind   bool
	removed atomic.Bool
}

func (h *hanging) Images(context.Context, string) iter.Seq2[[]evaluator.Image, error] {
	return func(yield func([]evaluator.Image, error) bool) { yield([]evaluator.Image{h.image}, nil) }
}

func (h *hanging) Describe(ctx context.Context, _ string, _ []string) ([]evaluator.Image, error) {
	if h.blind && h.removed.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []evaluator.Image{h.image}, nil
}

func (h *hanging) Delete(ctx context.Context, _ string, _ []string) (apply.Deletion, error) {
	h.removed.Store(true)
	<-ctx.Done()
	return apply.Deletion{}, fmt.Errorf("%w: %w", apply.ErrUnanswered, ctx.Err())
}

// A stopped run waits for the answer of a removing call, but not until Lambda kills the function.
func TestARemovalThatHangsEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	for _, within := range []time.Duration{20 * time.Second, 30 * time.Second, time.Minute, 15 * time.Minute} {
		for _, blind := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				const n = 100
				image := evaluator.Image{
					Digest: "sha256:a", Status: evaluator.Active, PushedAt: evaluator.At(time.Now().Add(-9 * day)),
					ManifestMediaType: "application/vnd.oci.image.manifest.v1+json",
				}
				registry := &hanging{slowReader: slowReader{n: n}, image: image, blind: blind}
				report, left := handleOn(t, within, `{"mode": "apply"}`, registry, registry)
				if margin := min(function.MaxMargin, within/10); left < margin/2 {
					t.Errorf("within %v, blind %t: %v are left of a margin of %v", within, blind, left, margin)
				}
				if got := report.Totals; got.Failed+got.Unknown == 0 || got.Failed+got.Unknown+got.NotAttempted != n || !report.Incomplete {
					t.Errorf("within %v, blind %t: totals %+v", within, blind, got)
				}
			})
		}
	}
}

func TestWithoutADeadlineThereIsNoStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		day := func(string) time.Duration { return 24 * time.Hour }
		h := function.Handler{
			Configuration: expireAll, Now: time.Now, RunID: func(context.Context) string { return "" }, Log: slog.New(slog.DiscardHandler),
			Connect: func(context.Context) (function.Registry, error) {
				return function.Registry{Concurrency: pace.Limits{Start: workers, Most: workers}, Reader: slowReader{n: 40, took: day}, Calls: func() map[string]int { return nil }}, nil
			},
		}
		report, err := h.Handle(t.Context(), []byte(`{}`))
		if err != nil || report.Incomplete {
			t.Errorf("report %+v, %v", report, err)
		}
	})
}

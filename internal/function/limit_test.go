package function_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

const workers = 16

// A slowReader lists n repositories; to list the images of one takes its time.
type slowReader struct {
	cleaner.Registry
	n    int
	took func(repository string) time.Duration
}

func (s slowReader) Repositories(context.Context) iter.Seq2[cleaner.Repository, error] {
	return func(yield func(cleaner.Repository, error) bool) {
		for i := range s.n {
			if !yield(cleaner.Repository{Name: fmt.Sprintf("r%03d", i), RegistryID: "123456789012"}, nil) {
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

// handleSlowly handles an event within the time and returns the report and how
// much time was left.
func handleSlowly(t *testing.T, within time.Duration, reader slowReader) (report *cleaner.Report, left time.Duration) {
	t.Helper()
	h := function.Handler{
		Configuration: expireAll, Now: time.Now, RunID: func(context.Context) string { return "" },
		Log: slog.New(slog.DiscardHandler),
		Connect: func(context.Context) (function.Registry, error) {
			return function.Registry{Concurrency: pace.Limits{Start: workers, Most: workers}, Reader: reader, Calls: func() map[string]int { return nil }}, nil
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	deadline, _ := ctx.Deadline()
	report, err := h.Handle(ctx, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
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
		if left < function.MaxMargin/2 || report.Repositories[1].Skipped != cleaner.SkipDeadline {
			t.Errorf("%v are left, %+v", left, report.Repositories[1])
		}
		if report.Totals.Skipped != 1 {
			t.Errorf("totals %+v, want one repository skipped", report.Totals)
		}
	})
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

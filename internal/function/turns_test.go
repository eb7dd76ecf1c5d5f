package function_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A pagedReader is a slowReader of repositories with three images, one on each slow page.
type pagedReader struct{ slowReader }

func (p pagedReader) Images(ctx context.Context, repository string) iter.Seq2[[]evaluator.Image, error] {
	return func(yield func([]evaluator.Image, error) bool) {
		for i := range 3 {
			select {
			case <-time.After(p.took(repository)):
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
			im := evaluator.Image{Digest: fmt.Sprint("sha256:", i), PushedAt: evaluator.At(time.Now().Add(-time.Hour)), Status: evaluator.Active}
			if !yield([]evaluator.Image{im}, nil) {
				return
			}
		}
	}
}

// nightlyRun runs the function for ten minutes on n repositories, each of which takes
// some seconds, and returns the report.
func nightlyRun(t *testing.T, n int, seconds float64) *report.Report {
	t.Helper()
	takes := time.Duration(seconds / 3 * float64(time.Second))
	h := function.Handler{
		Configuration: expireAll, Now: time.Now, RunID: func(context.Context) string { return "" }, Log: slog.New(slog.DiscardHandler),
		Connect: func(context.Context) (function.Registry, error) {
			return function.Registry{
				Concurrency: pace.Limits{Start: 4, Most: 4}, Calls: func() map[string]int { return nil },
				Reader: pagedReader{slowReader{n: n, took: func(string) time.Duration { return takes }}},
			}, nil
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	report, err := h.Handle(ctx, []byte(`{}`))
	awstest.NoError(t, err)
	return report
}

// wantWhole checks that each repository was either handled completely or skipped with
// the reason deadline, and returns those that were handled.
func wantWhole(t *testing.T, report *report.Report, n int) (handled []string) {
	t.Helper()
	for _, r := range report.Repositories {
		switch {
		case r.Skipped == "" && r.Evaluated == 3:
			handled = append(handled, r.Name)
		case r.Skipped != plan.SkipDeadline || !strings.Contains(r.Message, ": the run's time ran out") || r.Evaluated > 0:
			t.Errorf("%s: skipped %q %s, %d images", r.Name, r.Skipped, r.Message, r.Evaluated)
		}
	}
	if len(report.Repositories) != n || report.Totals.Skipped != n-len(handled) || !report.Incomplete {
		t.Errorf("%d repositories, %d handled, incomplete %v, totals %+v", len(report.Repositories), len(handled), report.Incomplete, report.Totals)
	}
	return handled
}

func TestEachRepositoryIsHandledWithinTwiceTheRuns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n       int
		seconds float64
	}{{300, 9}, {300, 30}, {200, 100}, {100, 280}, {7, 400}} {
		t.Run(fmt.Sprintf("%d repositories of %v s", test.n, test.seconds), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				last := map[string]int{} // the run that last handled it, by repository
				fewest := test.n
				longest := 0
				for n := range 120 {
					handled := wantWhole(t, nightlyRun(t, test.n, test.seconds), test.n)
					fewest = min(fewest, len(handled))
					for _, name := range handled {
						longest = max(longest, n-last[name])
						last[name] = n
					}
					time.Sleep(time.Until(time.Now().Truncate(day).Add(day + 3*time.Hour)))
				}
				best := (test.n + fewest - 1) / fewest
				t.Logf("%d of %d repositories a night; none waits for more than %d nights", fewest, test.n, longest)
				if len(last) != test.n || longest > 2*best || fewest == test.n {
					t.Errorf("%d of %d repositories had a turn, one waited for %d nights, want at most %d", len(last), test.n, longest, 2*best)
				}
			})
		})
	}
}

func TestConcurrencyComesFromTheEnvironment(t *testing.T) {
	awstest.Environment(t, "")
	for _, test := range []struct {
		most, start string
		want        pace.Limits
		words       string
	}{
		{"", "", function.DefaultConcurrency, ""},
		{"8", "2", pace.Limits{Start: 2, Most: 8}, ""},
		{"0", "", pace.Limits{}, `CLEANER_CONCURRENCY is "0"; give a number from 1 to 64`},
		{"", "many", pace.Limits{}, `CLEANER_CONCURRENCY_START is "many"; give a number from 1 to 64`},
		{"65", "", pace.Limits{}, `CLEANER_CONCURRENCY is "65"`},
	} {
		t.Setenv("CLEANER_CONCURRENCY", test.most)
		t.Setenv("CLEANER_CONCURRENCY_START", test.start)
		r, err := function.Connector(os.Getenv)("", "", clock)(t.Context())
		switch {
		case test.words != "" && (err == nil || !strings.Contains(err.Error(), test.words)):
			t.Errorf("%q, %q: %v, want %s", test.most, test.start, err, test.words)
		case test.words == "" && (err != nil || r.Concurrency != test.want):
			t.Errorf("%q, %q: %+v, %v", test.most, test.start, r.Concurrency, err)
		}
	}
}

package cleaner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// entryPoints are the ways in which a runner evaluates policies or removes images.
var entryPoints = map[string]func(context.Context, *cleaner.Runner) error{
	"Run": func(ctx context.Context, r *cleaner.Runner) error {
		_, err := r.Run(ctx)
		return err
	},
	"RunNamed": func(ctx context.Context, r *cleaner.Runner) error {
		_, err := r.RunNamed(ctx, "app", []string{"a"})
		return err
	},
	"Explain": func(ctx context.Context, r *cleaner.Runner) error {
		_, err := r.Explain(ctx, "app", "a")
		return err
	},
	"Begin": func(ctx context.Context, r *cleaner.Runner) error {
		for _, err := range r.Registry.Repositories(ctx) {
			if err != nil {
				return r.Begin(err)
			}
		}
		if err := r.Begin(nil); err != nil {
			return err
		}
		_, err := r.PlannerOf(account).Forecast(ctx, "app", lifecycle.Policy{}, r.Config.Protect)
		return err
	},
}

var (
	errWrongClock = errors.New("the clock is wrong")
	errDenied     = errors.New("denied")
)

// The error is the wrong clock even if the repositories could not be listed: the clock
// may be the cause.
func TestNothingIsEvaluatedByAWrongClock(t *testing.T) {
	t.Parallel()
	for name, enter := range entryPoints {
		for _, test := range []struct{ clock, listing, want error }{
			{nil, nil, nil},
			{errWrongClock, nil, errWrongClock},
			{nil, errDenied, errDenied},
			{errWrongClock, errDenied, errWrongClock},
		} {
			w := newFakeRegistry(image("a", 9*day))
			r := newRunner(t, w, expireAll)
			r.CheckClock = func() error { return test.clock }
			reading := w.Reader()
			images, repositories, listings := reading.ImagesFunc, reading.RepositoriesFunc, 0
			reading.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
				listings++
				return images(ctx, repository)
			}
			reading.RepositoriesFunc = func(ctx context.Context) ([]plan.Repository, error) {
				if test.listing != nil {
					return nil, test.listing
				}
				return repositories(ctx)
			}
			r.Registry = reading
			err := enter(t.Context(), &r)
			if !errors.Is(err, test.want) || test.clock != nil && errors.Is(err, errDenied) {
				t.Errorf("%s: clock %v, listing %v: error %v", name, test.clock, test.listing, err)
			}
			if test.want != nil && (listings > 0 || len(w.Calls) > 0) {
				t.Errorf("%s: %v: %d listings of images, and the calls %v", name, test.want, listings, w.Calls)
			}
		}
	}
}

// Policies are evaluated at the time after the first responses, unless Now was given.
func TestNowIsSetAfterTheFirstResponses(t *testing.T) {
	t.Parallel()
	for name, enter := range entryPoints {
		for _, given := range []time.Time{{}, now} {
			w := newFakeRegistry(image("a", 9*day))
			r := newRunner(t, w, expireAll)
			at := now.Add(-time.Hour)
			reading := w.Reader()
			repositories := reading.RepositoriesFunc
			reading.RepositoriesFunc = func(ctx context.Context) ([]plan.Repository, error) {
				at = now.Add(-time.Minute)
				return repositories(ctx)
			}
			r.Registry, r.Now = reading, given
			r.Clock = func() time.Time { return at.In(time.FixedZone("", 3600)) }
			if err := enter(t.Context(), &r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if want := now.Add(-time.Minute); given.IsZero() && r.Now != want || !given.IsZero() && r.Now != given {
				t.Errorf("%s: given %v, evaluated at %v", name, given, r.Now)
			}
		}
	}
	r := newRunner(t, newFakeRegistry(), expireAll)
	r.Now, r.Clock = time.Time{}, func() time.Time { return now }
	if report := run(t, &r); !report.Start.Equal(now) {
		t.Errorf("the report is of %v, want %v", report.Start, now)
	}
}

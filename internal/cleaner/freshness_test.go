package cleaner_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// Every removing call relies on a scan of the last ten minutes, even a repeated call.
func TestARepeatedCallNeedsAYoungScan(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{expireOld, archiveOld} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("sha256:a", 9*day), image("sha256:b", 9*day))
			r := newRunner(t, w, `{"policies": [{"policy": `+policy+`}], "protect": {"inUse": ["ecs"], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`)
			start, scanned := time.Now(), time.Time{}
			r.Clock = time.Now
			r.Scan = func(context.Context) inuse.Scan {
				scanned = time.Now()
				scan := inuse.Scan{At: scanned, Counts: map[string]int{"ecs": 1}}
				if time.Since(start) > 20*time.Minute {
					scan.Uses = []inuse.Use{use("sha256:a", "new task")}
				}
				return scan
			}
			remover := w.Remover()
			young := func() error {
				if age := time.Since(scanned); age > usage.MaxScanAge {
					t.Errorf("a removing call relies on a scan that is %v old", age)
				}
				if time.Since(start) < 25*time.Minute {
					return errThrottled
				}
				return nil
			}
			remove, archive := remover.DeleteFunc, remover.ArchiveFunc
			remover.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
				if err := young(); err != nil {
					return apply.Deletion{}, err
				}
				return remove(ctx, repository, digests)
			}
			remover.ArchiveFunc = func(ctx context.Context, repository, digest string) error {
				if err := young(); err != nil {
					return err
				}
				return archive(ctx, repository, digest)
			}
			r.Remover = remover
			report := run(t, &r)
			got := report.Totals
			if got.Protected != 1 || got.Deleted+got.Archived != 1 || !slices.Contains(w.Digests("app"), "sha256:a") {
				t.Errorf("totals %+v", got)
			}
		})
	}
}

// Every removing call relies on a plan of the last ten minutes, since a protection may
// come from the listing alone. This also holds for named images.
func TestARepeatedCallNeedsAYoungPlan(t *testing.T) {
	t.Parallel()
	const keepOne = `{"policies": [{"policy": ` + expireOld + `}], "protect": {"inUse": [], "tagPatterns": [], "keepNewest": 1, "pulledWithinDays": 0, "pushedWithinHours": 0}}`
	for name, enter := range map[string]func(context.Context, *cleaner.Runner) (report.Report, error){
		"Run": func(ctx context.Context, r *cleaner.Runner) (report.Report, error) { return r.Run(ctx) },
		"RunNamed": func(ctx context.Context, r *cleaner.Runner) (report.Report, error) {
			return r.RunNamed(ctx, "app", []string{"sha256:a"})
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("sha256:a", 9*day), image("sha256:b", 8*day))
			r := newRunner(t, w, keepOne)
			clock := now
			r.Clock = func() time.Time { return clock }
			remover := w.Remover()
			fixture.Failing(&remover, 1, errThrottled, func(int) {
				w.Take("delete", "app", []string{"sha256:b"})
				clock = clock.Add(usage.MaxScanAge + time.Second)
			})
			r.Remover = remover
			report, err := enter(t.Context(), &r)
			if got := fixture.ProtectedBy(&report)["sha256:a"]; err != nil || got != "[keepNewest 1 newest image]" || len(w.Digests("app")) != 1 {
				t.Errorf("%s: error %v, protected by %s, left %v", name, err, got, w.Digests("app"))
			}
		})
	}
}

// The log is written before the re-check, so that a slow log does not make the re-check old. After
// the machine was suspended, which only the wall clock shows, the re-check is repeated.
func TestNothingComesBetweenTheReCheckAndTheCall(t *testing.T) {
	t.Parallel()
	for name, stall := range map[string]func(*time.Time){
		"the log stalls":           func(*time.Time) { time.Sleep(8 * time.Second) },
		"the machine is suspended": func(ahead *time.Time) { *ahead = ahead.Add(8 * time.Second) },
	} {
		for _, action := range []evaluator.Action{evaluator.Expire, evaluator.Transition, evaluator.Untag} {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeRegistry(image("a", 9*day, "t-a", "v-a"))
				r := newRunner(t, w, expireAll)
				ahead := time.Now()
				began := ahead
				r.Clock = func() time.Time { return time.Now().Add(ahead.Sub(began)) }
				r.Log = before(t, func(line slog.Record) {
					if line.Message == "intent" {
						stall(&ahead)
						w.Set("a", func(im *evaluator.Image) { im.Tags = append(im.Tags, "release") })
					}
				})
				plan := fixture.Losing(w.Images["app"]...)
				plan.Images[0].Action = action
				r.ApplyPlan(t.Context(), plan)
				awstest.Equal(t, name+", "+string(action)+": outcome", "changed: imageTags changed since the plan", fixture.Settled(plan)["a"])
			})
		}
	}
}

// A child is re-checked after its index was deleted.
func TestAChildIsReCheckedAfterItsIndex(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(index("i", 9*day), image("a", 9*day), image("b", 9*day))
	r := w.Remover().BeforeDelete(func(_ string, digests []string) {
		if slices.Contains(digests, "i") {
			w.Set("a", func(im *evaluator.Image) { im.Tags = []string{"release"} })
		}
	})
	plan := fixture.PlanOf(evaluator.Expire, slices.Clone(w.Images["app"])...)
	plan.Images[1].Parents, plan.Images[2].Parents = []string{"i"}, []string{"i"}
	fixture.ApplyTo(t, r, plan)
	want := map[string]string{"i": "deleted", "a": "changed: imageTags changed since the plan", "b": "deleted"}
	awstest.Equal(t, "outcomes", want, fixture.Settled(plan))
}

// The last tag of an image is never removed: there is a re-check before each attempt to
// remove tags, even right after another one.
func TestTheLastTagIsNotRemovedByAnOlderReCheck(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"first attempt": nil, "throttled": errThrottled, "no answer": fixture.ErrUnanswered} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("a", 9*day, "t-a", "v-a"))
			plan := fixture.Losing(slices.Clone(w.Images["app"])...)
			r := w.Remover()
			other := func() { w.Set("a", func(im *evaluator.Image) { im.Tags = []string{"t-a"} }) }
			calls := 0
			untag := r.UntagFunc
			r.UntagFunc = func(ctx context.Context, repository string, tags []string) (apply.Untagging, error) {
				if calls++; calls == 1 && err != nil {
					return apply.Untagging{}, err
				}
				return untag(ctx, repository, tags)
			}
			intents := 0
			log := before(t, func(line slog.Record) {
				if line.Message != "intent" {
					return
				}
				if intents++; (intents == 2) == (err != nil) { // right after the re-check before this attempt
					other()
				}
			})
			fixture.Apply(t.Context(), r, plan, log)
			awstest.Equal(t, name+": tags left", []string{"t-a"}, w.Images["app"][0].Tags)
		})
	}
}

// The run removes only images that the log names.
func TestNothingIsRemovedWithoutTheLog(t *testing.T) {
	t.Parallel()
	for _, action := range []evaluator.Action{evaluator.Expire, evaluator.Transition, evaluator.Untag} {
		w := newFakeRegistry(image("a", 9*day, "t-a", "v-a"))
		r := newRunner(t, w, expireAll)
		r.Commit = func() error { return errors.New("log: no space left") }
		plan := fixture.Losing(w.Images["app"]...)
		plan.Images[0].Action = action
		r.ApplyPlan(t.Context(), plan)
		if got := fixture.Settled(plan)["a"]; got != "failed: log: no space left" || !slices.Equal(w.Calls, []string{"describe"}) {
			t.Errorf("%s: outcome %q, calls %v", action, got, w.Calls)
		}
	}
}

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
		_, err := r.PlannerOf(fixture.Account).Forecast(ctx, "app", lifecycle.Policy{}, r.Config.Protect)
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
			listings := 0
			reading := w.Reader().BeforeImages(func(string) { listings++ })
			repositories := reading.RepositoriesFunc
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

package cleaner_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
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
			failing(&remover, 1, errThrottled, func(int) {
				w.Take("delete", "app", []string{"sha256:b"})
				clock = clock.Add(usage.MaxScanAge + time.Second)
			})
			r.Remover = remover
			report, err := enter(t.Context(), &r)
			if got := protectedBy(&report)["sha256:a"]; err != nil || got != "[keepNewest 1 newest image]" || len(w.Digests("app")) != 1 {
				t.Errorf("%s: error %v, protected by %s, left %v", name, err, got, w.Digests("app"))
			}
		})
	}
}

// The log is written before the re-check, so that a slow log does not make the re-check
// old. After the machine was suspended, which only the wall clock shows, the re-check is
// repeated.
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
				plan := losing(w.Images["app"]...)
				plan.Images[0].Action = action
				r.ApplyPlan(t.Context(), plan)
				if got := settled(plan)["a"]; got != "changed: imageTags changed since the plan" {
					t.Errorf("%s, %s: outcome %q", name, action, got)
				}
			})
		}
	}
}

// A child is re-checked after its index was deleted.
func TestAChildIsReCheckedAfterItsIndex(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(index("i", 9*day), image("a", 9*day), image("b", 9*day))
	r := w.Remover()
	remove := r.DeleteFunc
	r.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
		if slices.Contains(digests, "i") {
			w.Set("a", func(im *evaluator.Image) { im.Tags = []string{"release"} })
		}
		return remove(ctx, repository, digests)
	}
	plan := planOf(evaluator.Expire, slices.Clone(w.Images["app"])...)
	plan.Images[1].Parents, plan.Images[2].Parents = []string{"i"}, []string{"i"}
	applyTo(t, r, plan)
	want := map[string]string{"i": "deleted", "a": "changed: imageTags changed since the plan", "b": "deleted"}
	if diff := cmp.Diff(want, settled(plan)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
}

// The last tag of an image is never removed: there is a re-check before each attempt to
// remove tags, even right after another one.
func TestTheLastTagIsNotRemovedByAnOlderReCheck(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"first attempt": nil, "throttled": errThrottled, "no answer": errUnanswered} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("a", 9*day, "t-a", "v-a"))
			plan := losing(slices.Clone(w.Images["app"])...)
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
			applyPlan(t.Context(), r, plan, log)
			if got := w.Images["app"][0].Tags; !slices.Equal(got, []string{"t-a"}) {
				t.Errorf("%s: tags left: %v, outcome %q", name, got, settled(plan)["a"])
			}
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
		plan := losing(w.Images["app"]...)
		plan.Images[0].Action = action
		r.ApplyPlan(t.Context(), plan)
		if got := settled(plan)["a"]; got != "failed: log: no space left" || !slices.Equal(w.Calls, []string{"describe"}) {
			t.Errorf("%s: outcome %q, calls %v", action, got, w.Calls)
		}
	}
}

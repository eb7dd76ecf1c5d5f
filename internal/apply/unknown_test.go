package apply_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// ECR can carry out a removing call late, after no answer came. Whatever happens after
// the call, an image that was not found removed is unknown, and the run is incomplete.
func TestACallWithoutAnAnswerIsNeverForgotten(t *testing.T) {
	t.Parallel()
	change := func(change func(*evaluator.Image)) func(*unansweredRun) {
		return func(u *unansweredRun) { u.Set("sha256:a", change) }
	}
	refused := func(code string) func(*unansweredRun) {
		return func(u *unansweredRun) {
			u.answer = func(digests []string) (apply.Deletion, error) {
				var done apply.Deletion
				for _, digest := range digests {
					done.Failed = append(done.Failed, plan.Failure{Digest: digest, Code: code})
				}
				return done, nil
			}
		}
	}
	fails := func(err error) func(*unansweredRun) {
		return func(u *unansweredRun) {
			u.answer = func([]string) (apply.Deletion, error) { return apply.Deletion{}, err }
		}
	}
	for name, then := range map[string]func(*unansweredRun){
		"nothing else":       fails(errUnanswered),
		"a tag is added":     change(func(im *evaluator.Image) { im.Tags = []string{"release"} }),
		"it is pulled":       change(func(im *evaluator.Image) { im.LastRecordedPullTime = evaluator.At(now) }),
		"it is archived":     change(func(im *evaluator.Image) { im.Status = evaluator.Archived }),
		"it is restored":     change(func(im *evaluator.Image) { im.LastActivatedAt = evaluator.At(now) }),
		"it is referenced":   refused("ImageReferencedByManifestList"),
		"it is refused":      refused("KmsError"),
		"denied":             fails(errors.New("denied")),
		"throttled":          fails(errThrottled),
		"neither answered":   fails(nil),
		"a panic":            func(u *unansweredRun) { u.answer = func([]string) (apply.Deletion, error) { panic("oh") } },
		"re-checks fail":     func(u *unansweredRun) { u.recheck = errors.New("denied") },
		"the run is stopped": func(u *unansweredRun) { close(u.stop) },
		"then it is in use":  func(u *unansweredRun) { u.age(); u.uses = []inuse.Use{use("sha256:a", "task")} },
		"then it is kept": func(u *unansweredRun) {
			u.age()
			u.Set("sha256:a", func(im *evaluator.Image) { im.PushedAt = evaluator.At(now) })
		},
		"then the scan fails":  func(u *unansweredRun) { u.age(); u.scan = errors.New("denied") },
		"then the list fails":  func(u *unansweredRun) { u.age(); u.listing = errors.New("denied") },
		"then no time is left": func(u *unansweredRun) { u.age(); u.listing = context.DeadlineExceeded },
	} {
		for late, want := range map[bool]string{false: "", true: "sha256:a"} {
			synctest.Test(t, func(t *testing.T) {
				u := newUnansweredRun(t)
				u.then = then
				report := run(t, &u.Runner)
				got := repositoryOf(t, &report, "app").Images
				if late && slices.Contains(u.Digests("app"), want) { // which the report cannot know
					u.Take("delete", "app", []string{want})
				}
				if len(got) != 1 || got[0].Outcome != plan.Unknown || got[0].Message == "" || got[0].ProtectedBy != nil {
					t.Errorf("%s: %+v", name, got)
				}
				if !report.Incomplete || report.Handled() || report.Totals.Unknown != 1 || report.Undone()["images unknown"] != 1 {
					t.Errorf("%s: incomplete %t, undone %v", name, report.Incomplete, report.Undone())
				}
				if said := u.log.Outcomes(t)["sha256:a"]; said != "unknown: "+got[0].Message && name != "a panic" { // then the intent stays open
					t.Errorf("%s: the log says %q", name, said)
				}
			})
		}
	}
}

// The same is true without a log: the cleaner remembers its calls without it.
func TestACallWithoutAnAnswerIsNotForgottenWithoutALog(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(*unansweredRun){
		"then the scan fails":  func(u *unansweredRun) { u.age(); u.scan = errors.New("denied") },
		"then no time is left": func(u *unansweredRun) { u.age(); u.listing = context.DeadlineExceeded },
		"a panic":              func(*unansweredRun) { panic("oh") },
	} {
		synctest.Test(t, func(t *testing.T) {
			u := newUnansweredRun(t)
			u.then, u.Log = then, slog.New(slog.DiscardHandler)
			report := run(t, &u.Runner)
			got := repositoryOf(t, &report, "app")
			if got.Skipped != "" || len(got.Images) != 1 || got.Images[0].Outcome != plan.Unknown || report.Undone()["images unknown"] != 1 {
				t.Errorf("%s: skipped %q, %+v, undone %v", name, got.Skipped, got.Images, report.Undone())
			}
		})
	}
}

// After a call without an answer, a new plan protects the image, and the next plan does
// not. The image stays in the report as unknown.
func TestACallWithoutAnAnswerIsNotForgottenByASecondPlan(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(*unansweredRun){
		"no longer in use": func(u *unansweredRun) { u.uses = []inuse.Use{use("v1", "task")} },
		"no longer wanted": func(u *unansweredRun) {
			u.uses = []inuse.Use{use("v1", "task")}
			u.Set("sha256:a", func(im *evaluator.Image) { im.PushedAt = evaluator.At(now) })
		},
		"a panic": func(*unansweredRun) { panic("oh") },
	} {
		synctest.Test(t, func(t *testing.T) {
			u := newUnansweredRun(t)
			u.Images["app"] = append(u.Images["app"], numbered(150, 8*day)...)
			u.then = func(u *unansweredRun) {
				u.age()
				u.uses = []inuse.Use{use("sha256:a", "task")}
				u.answer = func(digests []string) (apply.Deletion, error) {
					u.answer = nil
					u.age()
					next(u)
					u.Take("delete", "app", digests)
					return apply.Deletion{Deleted: digests}, nil
				}
			}
			report := run(t, &u.Runner)
			awstest.Equal(t, name+": images in the report", 151, len(repositoryOf(t, &report, "app").Images))
			if got := fixture.Reported(t, &report)["sha256:a"]; !strings.HasPrefix(got, "unknown: ") || report.Totals.Unknown < 1 || !report.Incomplete {
				t.Errorf("%s: %q, totals %+v", name, got, report.Totals)
			}
		})
	}
}

// An image that is found removed after a call without an answer was removed by that
// call. A removal that ECR confirms later is certain.
func TestAnImageFoundRemovedIsNotUnknown(t *testing.T) {
	t.Parallel()
	gone := func(u *unansweredRun) { u.Take("delete", "app", []string{"sha256:a"}) }
	for name, test := range map[string]struct {
		then func(*unansweredRun)
		want string
	}{
		"gone at the re-check":   {gone, "deleted: unconfirmed: delete: no answer, but not there any more"},
		"gone from the new plan": {func(u *unansweredRun) { u.age(); gone(u) }, "deleted: unconfirmed: delete: no answer, but not there any more"},
		"the repository is gone": {func(u *unansweredRun) { u.age(); gone(u); u.listing = plan.ErrRepositoryNotFound }, "deleted: unconfirmed: delete: no answer, but not there any more"},
		"confirmed later":        {func(*unansweredRun) {}, "deleted"},
	} {
		synctest.Test(t, func(t *testing.T) {
			u := newUnansweredRun(t)
			u.then = test.then
			report := run(t, &u.Runner)
			if got := fixture.Reported(t, &report)["sha256:a"]; got != test.want || report.Incomplete {
				t.Errorf("%s: %q, want %q; incomplete %t", name, got, test.want, report.Incomplete)
			}
		})
	}
}

// An unansweredRun is a run whose first removing call has no answer and is not carried
// out. Then the test calls then.
type unansweredRun struct {
	*fakeRegistry
	cleaner.Runner
	log  *logged
	stop chan struct{}
	then func(*unansweredRun)
	// answer answers later calls; nil carries them out.
	answer                 func(digests []string) (apply.Deletion, error)
	recheck, scan, listing error
	uses                   []inuse.Use
	clock                  time.Time
}

func newUnansweredRun(t *testing.T) *unansweredRun {
	t.Helper()
	u := &unansweredRun{fakeRegistry: newFakeRegistry(image("sha256:a", 9*day)), log: &logged{}, stop: make(chan struct{}), clock: now}
	u.Runner = newRunner(t, u.fakeRegistry, fixture.Scanned)
	reader, remover := u.fakeRegistry.Reader(), u.fakeRegistry.Remover()
	images, describe, remove := reader.ImagesFunc, remover.DescribeFunc, remover.DeleteFunc
	reader.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
		if u.listing != nil {
			return nil, u.listing
		}
		return images(ctx, repository)
	}
	remover.DescribeFunc = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
		if u.recheck != nil {
			return nil, u.recheck
		}
		return describe(ctx, repository, digests)
	}
	calls := 0
	remover.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
		switch calls++; {
		case calls == 1:
			u.then(u)
			return apply.Deletion{}, errUnanswered
		case u.answer != nil:
			return u.answer(digests)
		}
		return remove(ctx, repository, digests)
	}
	u.Registry, u.Runner.Remover, u.Stop, u.Log = reader, remover, u.stop, u.log.Logger()
	u.Clock = func() time.Time { return u.clock }
	u.Scan = func(context.Context) inuse.Scan {
		if u.scan != nil {
			return inuse.Scan{Failed: []inuse.Failure{{Source: "ecs", Err: u.scan}}}
		}
		return inuse.Scan{Uses: u.uses, Counts: map[string]int{"ecs": len(u.uses)}}
	}
	return u
}

// age makes the scan too old, so that the plan is made again.
func (u *unansweredRun) age() { u.clock = u.clock.Add(usage.MaxScanAge + time.Second) }

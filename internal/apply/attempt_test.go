package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// lost makes Delete and Archive do their work and lose the answer.
func lost(w *fakeRegistry, r *remover) {
	r.DeleteFunc = func(_ context.Context, repository string, digests []string) (apply.Deletion, error) {
		w.Take("delete", repository, digests)
		return apply.Deletion{}, errUnanswered
	}
	r.ArchiveFunc = func(_ context.Context, repository, digest string) error {
		w.Take("archive", repository, []string{digest})
		return errUnanswered
	}
}

// applied applies a plan on the images of the registry in a bubble.
func applied(t *testing.T, w *fakeRegistry, action evaluator.Action, r remover) map[string]string {
	t.Helper()
	plan := planOf(action, slices.Clone(w.Images["app"])...)
	applyTo(t, r, plan)
	return settled(plan)
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	t.Parallel()
	for action, want := range map[evaluator.Action]string{evaluator.Expire: "deleted", evaluator.Transition: "archived"} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("a", 9*day))
			r := w.Remover()
			start := time.Now()
			var pauses []time.Duration
			calls := failing(&r, 9, errThrottled, func(int) { pauses, start = append(pauses, time.Since(start)), time.Now() })
			if got := applied(t, w, action, r)["a"]; got != want || *calls != 10 {
				t.Errorf("%q after %d calls, want %q after 10", got, *calls, want)
			}
			for n, d := range pauses[1:] {
				if most := min(500*time.Millisecond<<n, 20*time.Second); d < most/2 || d > most {
					t.Errorf("pause %d is %v, want between %v and %v", n+1, d, most/2, most)
				}
			}
			if n := len(slices.DeleteFunc(slices.Clone(w.Calls), func(c string) bool { return c != "describe" })); n != 10 {
				t.Errorf("described %d times, want before each attempt", n)
			}
		})
	}
}

func TestAnEndToPatience(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err   error
		calls int
		want  plan.Outcome
	}{{errThrottled, 100, plan.Failed}, {errUnanswered, 3, plan.Unknown}, {errors.New("denied"), 1, plan.Failed}} {
		for _, action := range []evaluator.Action{evaluator.Expire, evaluator.Transition} {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeRegistry(image("a", 9*day))
				r := w.Remover()
				calls := failing(&r, 1000, test.err, nil)
				if got, want := applied(t, w, action, r)["a"], string(test.want)+": "+test.err.Error(); got != want || *calls != test.calls {
					t.Errorf("%s: %q after %d calls, want %q after %d", action, got, *calls, want, test.calls)
				}
			})
		}
	}
}

// An image can change during a pause between two attempts.
func TestAnImageThatChangesInAPauseIsKept(t *testing.T) {
	t.Parallel()
	for err, prefix := range map[error]string{errThrottled: "changed: ", errUnanswered: "unknown: delete: no answer; then "} {
		for _, action := range []evaluator.Action{evaluator.Expire, evaluator.Transition} {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeRegistry(image("tagged", 9*day), image("pulled", 9*day), image("still", 9*day))
				r := w.Remover()
				failing(&r, 2, err, func(call int) {
					time.AfterFunc(time.Millisecond, func() { // in the pause
						if call == 1 {
							w.Set("tagged", func(im *evaluator.Image) { im.Tags = []string{"release"} })
						} else {
							w.Set("pulled", func(im *evaluator.Image) { im.LastRecordedPullTime = evaluator.At(now) })
						}
					})
				})
				got := applied(t, w, action, r)
				want := map[string]string{"tagged": prefix + "imageTags changed since the plan", "pulled": prefix + "lastRecordedPullTime changed since the plan", "still": got["still"]}
				if diff := cmp.Diff(want, got); diff != "" || got["still"] != "deleted" && got["still"] != "archived" {
					t.Errorf("%s, %v: outcomes mismatch (-want +got):\n%s", action, err, diff)
				}
				if left := w.Digests("app"); !slices.Contains(left, "tagged") || !slices.Contains(left, "pulled") {
					t.Errorf("%s, %v: left are %v", action, err, left)
				}
			})
		}
	}
}

// An image can also change while the cleaner waits to delete others.
func TestAnImageThatChangesWhileOthersAreThrottledIsKept(t *testing.T) {
	t.Parallel()
	for _, action := range []evaluator.Action{evaluator.Expire, evaluator.Transition} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(index("i", 9*day), image("a", 9*day), image("b", 9*day))
			r := w.Remover()
			failing(&r, 5, errThrottled, func(int) {
				w.Set("b", func(im *evaluator.Image) { im.Tags = []string{"release"} })
			})
			got := applied(t, w, action, r)
			if got["b"] != "changed: imageTags changed since the plan" || got["i"] != got["a"] {
				t.Errorf("%s: outcomes %v", action, got)
			}
		})
	}
}

func TestALostAnswer(t *testing.T) {
	t.Parallel()
	for action, want := range map[evaluator.Action]string{
		evaluator.Expire:     "deleted: unconfirmed: delete: no answer, but not there any more",
		evaluator.Transition: "archived: unconfirmed: delete: no answer, but it is in the archive class now",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("a", 9*day), image("b", 9*day))
			r := w.Remover()
			lost(w, &r)
			awstest.Equal(t, string(action)+": outcomes", map[string]string{"a": want, "b": want}, applied(t, w, action, r))
			if n := len(slices.DeleteFunc(w.Calls, func(c string) bool { return c == "describe" })); n > 2 {
				t.Errorf("%s: %d removing calls", action, n)
			}
		})
	}
}

// After throttling, only another program can have removed the image.
func TestARemovalWhileThrottledIsNotOurs(t *testing.T) {
	t.Parallel()
	for action, test := range map[evaluator.Action]struct {
		change func(*fakeRegistry)
		want   string
	}{
		evaluator.Expire: {func(w *fakeRegistry) { w.Images["app"] = nil }, "gone: not there any more"},
		evaluator.Transition: {
			func(w *fakeRegistry) { w.Set("a", func(im *evaluator.Image) { im.Status = evaluator.Archived }) },
			"changed: imageStatus changed since the plan",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("a", 9*day))
			r := w.Remover()
			failing(&r, 1, errThrottled, func(int) { test.change(w) })
			awstest.Equal(t, string(action), test.want, applied(t, w, action, r)["a"])
		})
	}
}

// After a call that hangs, the cleaner describes the images.
func TestACallHasALimitedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(image("a", 9*day))
		r := w.Remover()
		r.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
			w.Take("delete", repository, digests)
			<-ctx.Done()
			return apply.Deletion{}, fmt.Errorf("%w: %w", apply.ErrUnanswered, ctx.Err())
		}
		start := time.Now()
		want := "deleted: unconfirmed: no answer: context deadline exceeded, but not there any more"
		awstest.Equal(t, "outcome", want, applied(t, w, evaluator.Expire, r)["a"])
		if took := time.Since(start); took > 11*time.Second {
			t.Errorf("it takes %v", took)
		}
	})
}

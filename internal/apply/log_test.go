package apply_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// wantLog applies a plan for the images of the registry and checks its log.
func wantLog(t *testing.T, w *fakeRegistry, action evaluator.Action, change func(*remover), want ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, log := w.Remover(), &logged{}
		change(&r)
		plan := planOf(action, slices.Clone(w.Images["app"])...)
		for i := range plan.Images {
			plan.Images[i].Untag = plan.Images[i].Tags
		}
		applyPlan(t.Context(), r, plan, log.Logger())
		awstest.Equal(t, string(action)+": log", want, log.Story(t))
	})
}

// When the process dies during a call, the log must name the images already.
func TestTheIntentIsInTheLogWhenTheCallIsMade(t *testing.T) {
	t.Parallel()
	for _, action := range []evaluator.Action{evaluator.Expire, evaluator.Transition, evaluator.Untag} {
		w := newFakeRegistry(image("a", 9*day, "v1"))
		r, log := w.Remover(), &logged{}
		checkLog := func() {
			awstest.Equal(t, string(action)+": log during the call", []string{"intent a 1"}, log.Story(t))
		}
		r = r.BeforeDelete(func(string, []string) { checkLog() })
		archive, untag := r.ArchiveFunc, r.UntagFunc
		r.ArchiveFunc = func(ctx context.Context, repository, digest string) error {
			checkLog()
			return archive(ctx, repository, digest)
		}
		r.UntagFunc = func(ctx context.Context, repository string, tags []string) (apply.Untagging, error) {
			checkLog()
			return untag(ctx, repository, tags)
		}
		plan := planOf(action, w.Images["app"]...)
		plan.Images[0].Untag = []string{"v1"}
		applyPlan(t.Context(), r, plan, log.Logger())
		if n := len(log.Story(t)); n != 2 {
			t.Errorf("%s: %d lines, want an intent and an outcome:\n%s", action, n, log)
		}
	}
}

func TestEachAttemptHasItsIntent(t *testing.T) {
	t.Parallel()
	for action, outcome := range map[evaluator.Action]string{evaluator.Expire: "a deleted", evaluator.Transition: "a archived"} {
		wantLog(t, newFakeRegistry(image("a", 9*day)), action, func(r *remover) { failing(r, 2, errThrottled, nil) },
			"intent a 1", "intent a 2", "intent a 3", outcome)
	}
}

// An image without a removing call has no intent.
func TestNoIntentWithoutACall(t *testing.T) {
	t.Parallel()
	wantLog(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) {
		r.DescribeFunc = func(context.Context, string, []string) ([]evaluator.Image, error) { return nil, nil }
	}, "a gone")
}

func TestAConclusionIsUnconfirmed(t *testing.T) {
	t.Parallel()
	silent := func(w *fakeRegistry) func(*remover) { return func(r *remover) { lost(w, r) } }
	for action, outcome := range map[evaluator.Action]string{evaluator.Expire: "deleted", evaluator.Transition: "archived"} {
		w := newFakeRegistry(image("a", 9*day))
		wantLog(t, w, action, silent(w), "intent a 1", "a "+outcome+", unconfirmed")
	}
	w := newFakeRegistry(image("a", 9*day, "v1"))
	wantLog(t, w, evaluator.Untag, func(r *remover) {
		r.UntagFunc = func(_ context.Context, repository string, tags []string) (apply.Untagging, error) {
			w.Untag(repository, tags)
			return apply.Untagging{}, errUnanswered
		}
	}, "intent a 1", "a untagged, unconfirmed")
}

// ECR can carry out a call late, after no answer came. If the image is gone at the next
// attempt, or at the re-check before it, that call deleted it.
func TestALateDeletionIsOurs(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(*fakeRegistry) (apply.Deletion, error){
		"not found": func(*fakeRegistry) (apply.Deletion, error) {
			return apply.Deletion{Failed: []plan.Failure{{Digest: "a", Code: "ImageNotFound"}}}, nil
		},
		"repository not found": func(*fakeRegistry) (apply.Deletion, error) {
			return apply.Deletion{}, plan.ErrRepositoryNotFound
		},
		"throttled, then not there": func(w *fakeRegistry) (apply.Deletion, error) {
			w.Images["app"] = nil
			return apply.Deletion{}, errThrottled
		},
	} {
		w := newFakeRegistry(image("a", 9*day))
		calls := 0
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantLog(t, w, evaluator.Expire, func(r *remover) {
				r.DeleteFunc = func(context.Context, string, []string) (apply.Deletion, error) {
					if calls++; calls == 1 {
						return apply.Deletion{}, errUnanswered
					}
					return answer(w)
				}
			}, "intent a 1", "intent a 2", "a deleted, unconfirmed")
		})
	}
}

// An answer confirms the outcome after a call without an answer.
func TestAnAnswerConfirmsTheOutcome(t *testing.T) {
	t.Parallel()
	for action, outcome := range map[evaluator.Action]string{evaluator.Expire: "a deleted", evaluator.Transition: "a archived"} {
		wantLog(t, newFakeRegistry(image("a", 9*day)), action, func(r *remover) { failing(r, 1, errUnanswered, nil) },
			"intent a 1", "intent a 2", outcome)
	}
	wantLog(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) { failing(r, 9, errors.New("denied"), nil) },
		"intent a 1", "a failed")
}

// If no attempt has an answer, ECR may still delete the image that it lists now.
func TestAFailureWithoutAnAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	wantLog(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) { failing(r, 9, errUnanswered, nil) },
		"intent a 1", "intent a 2", "intent a 3", "a unknown, unconfirmed")
	wantLog(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) {
		describe := r.DescribeFunc
		failing(r, 1, errUnanswered, nil)
		descriptions := 0
		r.DescribeFunc = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
			if descriptions++; descriptions > 1 {
				return nil, errors.New("denied")
			}
			return describe(ctx, repository, digests)
		}
	}, "intent a 1", "a unknown, unconfirmed")
}

// A call without an answer may be carried out after a later one was refused.
func TestARefusalAfterACallWithoutAnAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"KmsError", "ImageReferencedByManifestList"} {
		wantLog(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) {
			r.DeleteFunc = func(context.Context, string, []string) (apply.Deletion, error) {
				return apply.Deletion{Failed: []plan.Failure{{Digest: "a", Code: code}}}, nil
			}
			failing(r, 1, errUnanswered, nil)
		}, "intent a 1", "intent a 2", "a unknown, unconfirmed")
	}
}

// The log of a run that is stopped between two attempts has the first attempt.
func TestAStopAfterACallWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(image("a", 9*day))
		r, log := w.Remover(), &logged{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		descriptions := 0
		r = r.BeforeDescribe(func(string) {
			if descriptions++; descriptions == 2 { // after the pause
				cancel()
			}
		})
		failing(&r, 9, errUnanswered, nil)
		applyPlan(ctx, r, planOf(evaluator.Expire, w.Images["app"]...), log.Logger())
		awstest.Equal(t, "log", []string{"intent a 1", "a unknown, unconfirmed"}, log.Story(t))
	})
}

package cleaner_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// wantStory applies a plan for the images of the registry and checks its log.
func wantStory(t *testing.T, w *fakeRegistry, action evaluator.Action, change func(*remover), want ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, log := w.remover(), &logged{}
		change(&r)
		plan := planOf(action, slices.Clone(w.images["app"])...)
		for i := range plan.Images {
			plan.Images[i].Untag = plan.Images[i].Tags
		}
		cleaner.Apply(t.Context(), r, plan, log.logger())
		if diff := cmp.Diff(want, log.story(t)); diff != "" {
			t.Errorf("%s: log mismatch (-want +got):\n%s", action, diff)
		}
	})
}

// When the process dies during a call, the log must name the images already.
func TestTheIntentIsInTheLogWhenTheCallIsMade(t *testing.T) {
	t.Parallel()
	for _, action := range []evaluator.Action{evaluator.Expire, evaluator.Transition, evaluator.Untag} {
		w := newFakeRegistry(image("a", 9*day, "v1"))
		r, log := w.remover(), &logged{}
		look := func() {
			if diff := cmp.Diff([]string{"intent a 1"}, log.story(t)); diff != "" {
				t.Errorf("%s: log during the call mismatch (-want +got):\n%s", action, diff)
			}
		}
		remove, archive, untag := r.delete, r.archive, r.untag
		r.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
			look()
			return remove(ctx, repository, digests)
		}
		r.archive = func(ctx context.Context, repository, digest string) error {
			look()
			return archive(ctx, repository, digest)
		}
		r.untag = func(ctx context.Context, repository string, tags []string) (cleaner.Untagging, error) {
			look()
			return untag(ctx, repository, tags)
		}
		plan := planOf(action, w.images["app"]...)
		plan.Images[0].Untag = []string{"v1"}
		cleaner.Apply(t.Context(), r, plan, log.logger())
		if n := len(log.story(t)); n != 2 {
			t.Errorf("%s: %d lines, want an intent and an outcome:\n%s", action, n, log)
		}
	}
}

func TestEachAttemptHasItsIntent(t *testing.T) {
	t.Parallel()
	for action, outcome := range map[evaluator.Action]string{evaluator.Expire: "a deleted", evaluator.Transition: "a archived"} {
		wantStory(t, newFakeRegistry(image("a", 9*day)), action, func(r *remover) { failing(r, 2, errThrottled, nil) },
			"intent a 1", "intent a 2", "intent a 3", outcome)
	}
}

// What nobody tried to remove has no intent.
func TestNoIntentWithoutACall(t *testing.T) {
	t.Parallel()
	wantStory(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) {
		r.describe = func(context.Context, string, []string) ([]evaluator.Image, error) { return nil, nil }
	}, "a gone")
}

func TestAConclusionIsUnconfirmed(t *testing.T) {
	t.Parallel()
	silent := func(w *fakeRegistry) func(*remover) { return func(r *remover) { lost(w, r) } }
	for action, outcome := range map[evaluator.Action]string{evaluator.Expire: "deleted", evaluator.Transition: "archived"} {
		w := newFakeRegistry(image("a", 9*day))
		wantStory(t, w, action, silent(w), "intent a 1", "a "+outcome+", unconfirmed")
	}
	w := newFakeRegistry(image("a", 9*day, "v1"))
	wantStory(t, w, evaluator.Untag, func(r *remover) {
		r.untag = func(_ context.Context, repository string, tags []string) (cleaner.Untagging, error) {
			w.untag(repository, tags)
			return cleaner.Untagging{}, errUnanswered
		}
	}, "intent a 1", "a untagged, unconfirmed")
}

// A call that had no answer may be carried out late: what is not there at the
// next attempt, or at the look before it, went by that.
func TestALateDeletionIsOurs(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(*fakeRegistry) (cleaner.Deletion, error){
		"not found": func(*fakeRegistry) (cleaner.Deletion, error) {
			return cleaner.Deletion{Failed: []cleaner.Failure{{Digest: "a", Code: "ImageNotFound"}}}, nil
		},
		"repository not found": func(*fakeRegistry) (cleaner.Deletion, error) {
			return cleaner.Deletion{}, cleaner.ErrRepositoryNotFound
		},
		"throttled, then not there": func(w *fakeRegistry) (cleaner.Deletion, error) {
			w.images["app"] = nil
			return cleaner.Deletion{}, errThrottled
		},
	} {
		w := newFakeRegistry(image("a", 9*day))
		calls := 0
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantStory(t, w, evaluator.Expire, func(r *remover) {
				r.delete = func(context.Context, string, []string) (cleaner.Deletion, error) {
					if calls++; calls == 1 {
						return cleaner.Deletion{}, errUnanswered
					}
					return answer(w)
				}
			}, "intent a 1", "intent a 2", "a deleted, unconfirmed")
		})
	}
}

// An answer ends the doubt that a call without one has left; a refusal of the
// call leaves none.
func TestWhatIsAnsweredIsConfirmed(t *testing.T) {
	t.Parallel()
	for action, outcome := range map[evaluator.Action]string{evaluator.Expire: "a deleted", evaluator.Transition: "a archived"} {
		wantStory(t, newFakeRegistry(image("a", 9*day)), action, func(r *remover) { failing(r, 1, errUnanswered, nil) },
			"intent a 1", "intent a 2", outcome)
	}
	wantStory(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) { failing(r, 9, errors.New("denied"), nil) },
		"intent a 1", "a failed")
}

// Where no attempt is answered, that the image is still there proves little.
func TestAFailureWithoutAnAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	wantStory(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) { failing(r, 9, errUnanswered, nil) },
		"intent a 1", "intent a 2", "intent a 3", "a unknown, unconfirmed")
	wantStory(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) {
		describe := r.describe
		failing(r, 1, errUnanswered, nil)
		looks := 0
		r.describe = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
			if looks++; looks > 1 {
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
		wantStory(t, newFakeRegistry(image("a", 9*day)), evaluator.Expire, func(r *remover) {
			r.delete = func(context.Context, string, []string) (cleaner.Deletion, error) {
				return cleaner.Deletion{Failed: []cleaner.Failure{{Digest: "a", Code: code}}}, nil
			}
			failing(r, 1, errUnanswered, nil)
		}, "intent a 1", "intent a 2", "a unknown, unconfirmed")
	}
}

// A run that is stopped between two attempts does not say that there was none.
func TestAStopAfterACallWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(image("a", 9*day))
		r, log := w.remover(), &logged{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		looks := 0
		describe := r.describe
		r.describe = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
			if looks++; looks == 2 { // after the pause
				cancel()
			}
			return describe(ctx, repository, digests)
		}
		failing(&r, 9, errUnanswered, nil)
		cleaner.Apply(ctx, r, planOf(evaluator.Expire, w.images["app"]...), log.logger())
		if diff := cmp.Diff([]string{"intent a 1", "a unknown, unconfirmed"}, log.story(t)); diff != "" {
			t.Errorf("log mismatch (-want +got):\n%s", diff)
		}
	})
}

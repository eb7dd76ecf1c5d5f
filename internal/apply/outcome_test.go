package apply_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func TestApplySettlesEveryImage(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		change func(*fakeRegistry, *remover)
		want   map[string]string
	}{
		"re-check fails": {
			func(_ *fakeRegistry, r *remover) {
				r.DescribeFunc = func(context.Context, string, []string) ([]evaluator.Image, error) { return nil, broken }
				r.DeleteFunc = nil
			}, map[string]string{"a": "failed: re-check: broken", "b": "failed: re-check: broken"},
		},
		"repository gone before the re-check": {
			func(_ *fakeRegistry, r *remover) {
				r.DescribeFunc = func(context.Context, string, []string) ([]evaluator.Image, error) {
					return nil, plan.ErrRepositoryNotFound
				}
				r.DeleteFunc = nil
			}, map[string]string{"a": "gone: not there any more", "b": "gone: not there any more"},
		},
		"repository gone before the deletion": {
			func(_ *fakeRegistry, r *remover) {
				r.DeleteFunc = func(context.Context, string, []string) (apply.Deletion, error) {
					return apply.Deletion{}, fmt.Errorf("delete: %w", plan.ErrRepositoryNotFound)
				}
			}, map[string]string{"a": "gone: the repository no longer exists", "b": "gone: the repository no longer exists"},
		},
		"call fails": {
			func(_ *fakeRegistry, r *remover) {
				r.DeleteFunc = func(context.Context, string, []string) (apply.Deletion, error) { return apply.Deletion{}, broken }
			}, map[string]string{"a": "failed: broken", "b": "failed: broken"},
		},
		"answer lost": {
			func(w *fakeRegistry, r *remover) {
				r.DeleteFunc = func(_ context.Context, repository string, _ []string) (apply.Deletion, error) {
					w.Take("delete", repository, []string{"a"})
					return apply.Deletion{}, errUnanswered
				}
			}, map[string]string{"a": "deleted: unconfirmed: delete: no answer, but not there any more", "b": "unknown: delete: no answer"},
		},
		"refused, and deleted by another program": {
			func(w *fakeRegistry, r *remover) {
				r.DeleteFunc = func(_ context.Context, repository string, _ []string) (apply.Deletion, error) {
					w.Take("delete", repository, []string{"a"})
					return apply.Deletion{}, broken
				}
			}, map[string]string{"a": "failed: broken", "b": "failed: broken"},
		},
		"answer in part": {
			func(_ *fakeRegistry, r *remover) {
				r.DeleteFunc = func(context.Context, string, []string) (apply.Deletion, error) {
					return apply.Deletion{Deleted: []string{"a", "not requested"}, Failed: []plan.Failure{{Digest: "not planned", Code: "KmsError"}, {Code: "MissingDigestAndTag"}}}, nil
				}
			}, map[string]string{"a": "deleted", "b": "unknown: ECR neither confirmed nor refused the removal"},
		},
		"answer lost and re-check fails": {
			func(w *fakeRegistry, r *remover) {
				describe, calls := r.DescribeFunc, 0
				r.DescribeFunc = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
					if calls++; calls > 1 {
						return nil, errors.New("denied")
					}
					return describe(ctx, repository, digests)
				}
				r.DeleteFunc = func(context.Context, string, []string) (apply.Deletion, error) {
					return apply.Deletion{}, errUnanswered
				}
			}, map[string]string{"a": "unknown: delete: no answer; then re-check: denied", "b": "unknown: delete: no answer; then re-check: denied"},
		},
		"error after a part is done": {
			func(w *fakeRegistry, r *remover) {
				r.DeleteFunc = func(_ context.Context, repository string, _ []string) (apply.Deletion, error) {
					w.Take("delete", repository, []string{"a"})
					return apply.Deletion{Deleted: []string{"a"}}, broken
				}
			}, map[string]string{"a": "deleted", "b": "failed: broken"},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(image("a", 9*day), image("b", 9*day))
			plan := planOf(evaluator.Expire, slices.Clone(w.Images["app"])...)
			r := w.Remover()
			test.change(w, &r)
			applyTo(t, r, plan)
			awstest.Equal(t, name+": outcomes", test.want, settled(plan))
		})
	}
}

// The codes are those of the API model, for which only three outcomes exist.
func TestEveryFailureCodeHasAnOutcome(t *testing.T) {
	t.Parallel()
	want := map[string]plan.Outcome{
		"ImageReferencedByManifestList": plan.Blocked, "ImageNotFound": plan.Gone,
		"InvalidImageDigest": plan.Failed, "InvalidImageTag": plan.Failed, "ImageTagDoesNotMatchDigest": plan.Failed,
		"MissingDigestAndTag": plan.Failed, "KmsError": plan.Failed, "UpstreamAccessDenied": plan.Failed,
		"UpstreamTooManyRequests": plan.Failed, "UpstreamUnavailable": plan.Failed, "ImageInaccessible": plan.Failed,
		"SomethingNew": plan.Failed, "": plan.Failed,
	}
	var images []evaluator.Image
	for code := range want {
		images = append(images, image("sha256:"+code, 9*day))
	}
	w := newFakeRegistry(images...)
	r := w.Remover()
	r.DeleteFunc = func(_ context.Context, _ string, digests []string) (done apply.Deletion, err error) {
		for _, d := range digests {
			done.Failed = append(done.Failed, plan.Failure{Digest: d, Code: d[len("sha256:"):], Message: "words"})
		}
		return done, nil
	}
	p := planOf(evaluator.Expire, images...)
	applyTo(t, r, p)
	got := map[string]plan.Outcome{}
	for _, im := range p.Images {
		code := im.Digest[len("sha256:"):]
		got[code] = im.Outcome
		awstest.Equal(t, "message", code+": words", im.Message)
	}
	awstest.Equal(t, "outcomes", want, got)
}

func TestTheOutcomesOfArchiving(t *testing.T) {
	t.Parallel()
	answers := map[string]error{
		"done": nil, "refused": fmt.Errorf("archive: %w", plan.Failure{Code: "ImageStorageClassUpdateNotSupported", Message: "no"}),
		"missing": plan.Failure{Code: "ImageNotFound"}, "denied": errors.New("denied"), "other": plan.Failure{Code: "KmsError"},
	}
	w := newFakeRegistry(image("done", 9*day), image("refused", 9*day), image("missing", 9*day), image("other", 9*day), image("denied", 9*day), image("last", 9*day))
	r := w.Remover()
	r.DeleteFunc = nil
	r.ArchiveFunc = func(_ context.Context, _, digest string) error {
		if digest == "last" {
			t.Error("a call that fails for all images is made once more")
		}
		return answers[digest]
	}
	plan := planOf(evaluator.Transition, w.Images["app"]...)
	applyTo(t, r, plan)
	want := map[string]string{
		"done": "archived", "refused": "blocked: ImageStorageClassUpdateNotSupported: no", "missing": "gone: ImageNotFound",
		"denied": "failed: denied", "other": "failed: KmsError", "last": "failed: not attempted after the call for another image failed: denied",
	}
	awstest.Equal(t, "outcomes", want, settled(plan))
}

func tagged(digest string) evaluator.Image { return image(digest, 9*day, "t-"+digest, "v-"+digest) }

func TestTheOutcomesOfUntagging(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(tagged("done"), tagged("gone"), tagged("refused"), tagged("moved"))
	p := fixture.Losing(w.Images["app"]...)
	r := w.Remover()
	untag := r.UntagFunc
	r.UntagFunc = func(ctx context.Context, repository string, tags []string) (apply.Untagging, error) {
		done, err := untag(ctx, repository, tags)
		for _, tag := range []string{"t-gone", "t-refused"} {
			delete(done.Removed, tag)
		}
		done.Failed["t-gone"] = plan.Failure{Code: "ImageNotFound"}
		done.Failed["t-refused"] = plan.Failure{Code: "KmsError"}
		done.Removed["t-moved"] = "other"
		return done, err
	}
	applyTo(t, r, p)
	want := map[string]string{
		"done": "untagged", "gone": "changed: its tags were not there any more", "refused": "failed: tag t-refused: KmsError",
		"moved": "unknown: tag t-moved had moved to other and was removed there; push the tag again",
	}
	awstest.Equal(t, "outcomes", want, settled(p))
}

// The log must not say that an image is unchanged if it lost some of its tags.
func TestUntaggingHalfDoneIsUnconfirmed(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("half", 9*day, "t-1", "t-2", "v"), image("moved", 9*day, "t-3", "v-3"), image("refused", 9*day, "t-4", "v-4"))
	p := planOf(evaluator.Untag, w.Images["app"]...)
	for i, tags := range [][]string{{"t-1", "t-2"}, {"t-3"}, {"t-4"}} {
		p.Images[i].Untag = tags
	}
	r := w.Remover()
	r.UntagFunc = func(context.Context, string, []string) (apply.Untagging, error) {
		refused := plan.Failure{Code: "KmsError"}
		return apply.Untagging{
			Removed: map[string]string{"t-1": "half", "t-3": "other"}, Failed: map[string]plan.Failure{"t-2": refused, "t-4": refused},
		}, nil
	}
	var log bytes.Buffer
	applyPlan(t.Context(), r, p, slog.New(slog.NewJSONHandler(&log, nil)))
	want := map[string]string{
		"half":    "unknown: 1 of its 2 tags were removed, but tag t-2: KmsError",
		"moved":   "unknown: tag t-3 had moved to other and was removed there; push the tag again",
		"refused": "failed: tag t-4: KmsError",
	}
	awstest.Equal(t, "outcomes", want, settled(p))
	if n := strings.Count(log.String(), `"unconfirmed":true`); n != 2 {
		t.Errorf("%d images are unconfirmed, want 2:\n%s", n, &log)
	}
}

// The answer can be lost after ECR removed the tags, or before.
func TestUntaggingWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	lost := fmt.Errorf("remove tags: %w", apply.ErrUnanswered)
	for name, test := range map[string]struct {
		carriedOut bool
		want       string
	}{
		"done":     {true, "untagged: unconfirmed: remove tags: no answer, but its tags are not there any more"},
		"not done": {false, "untagged"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(tagged("a"))
			plan := fixture.Losing(w.Images["app"]...)
			r := w.Remover()
			untag, calls := r.UntagFunc, 0
			r.UntagFunc = func(ctx context.Context, repository string, tags []string) (apply.Untagging, error) {
				if calls++; calls > 1 {
					return untag(ctx, repository, tags)
				}
				if test.carriedOut {
					_, _ = untag(ctx, repository, tags)
				}
				return apply.Untagging{}, lost
			}
			applyTo(t, r, plan)
			awstest.Equal(t, name, test.want, settled(plan)["a"])
		})
	}
}

func TestUntaggingInARepositoryThatIsGone(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(tagged("a"))
	p := fixture.Losing(w.Images["app"]...)
	r := w.Remover()
	r.UntagFunc = func(context.Context, string, []string) (apply.Untagging, error) {
		return apply.Untagging{}, plan.ErrRepositoryNotFound
	}
	applyTo(t, r, p)
	awstest.Equal(t, "outcome", "gone: the repository no longer exists", settled(p)["a"])
}

// In one run an image loses only as many tags as fit in one call. Between two calls,
// another program may remove the tag that is to remain.
func TestAnImageLosesManyTagsInSeveralRuns(t *testing.T) {
	t.Parallel()
	im := image("a", 9*day, "v1")
	for i := range 250 {
		im.Tags = append(im.Tags, fmt.Sprint("dead-", i))
	}
	w := newFakeRegistry(im)
	for _, left := range []int{151, 51, 1, 1} {
		r := newRunner(t, w, fixture.WithPolicy(strings.Replace(fixture.ExpireDead, "expire", "untag", 1), ""))
		run(t, &r)
		awstest.Equal(t, "number of tags left", left, len(w.Images["app"][0].Tags))
	}
}

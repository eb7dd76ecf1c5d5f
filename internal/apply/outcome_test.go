package apply_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
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
			if diff := cmp.Diff(test.want, settled(plan)); diff != "" {
				t.Errorf("%s: outcomes mismatch (-want +got):\n%s", name, diff)
			}
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
		if im.Message != code+": words" {
			t.Errorf("message %q of the code %q", im.Message, code)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("outcomes mismatch (-want +got):\n%s", cmp.Diff(want, got))
	}
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
	if diff := cmp.Diff(want, settled(plan)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
}

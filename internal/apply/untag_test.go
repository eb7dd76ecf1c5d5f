package apply_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func tagged(digest string) evaluator.Image { return image(digest, 9*day, "t-"+digest, "v-"+digest) }

func TestTheOutcomesOfUntagging(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(tagged("done"), tagged("gone"), tagged("refused"), tagged("moved"))
	p := losing(w.Images["app"]...)
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
	if diff := cmp.Diff(want, settled(p)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
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
	if diff := cmp.Diff(want, settled(p)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
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
			plan := losing(w.Images["app"]...)
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
			if got := settled(plan)["a"]; got != test.want {
				t.Errorf("%s: %q, want %q", name, got, test.want)
			}
		})
	}
}

func TestUntaggingInARepositoryThatIsGone(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(tagged("a"))
	p := losing(w.Images["app"]...)
	r := w.Remover()
	r.UntagFunc = func(context.Context, string, []string) (apply.Untagging, error) {
		return apply.Untagging{}, plan.ErrRepositoryNotFound
	}
	applyTo(t, r, p)
	if got := settled(p)["a"]; got != "gone: the repository no longer exists" {
		t.Errorf("outcome %q", got)
	}
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
		r := newRunner(t, w, withPolicy(strings.Replace(expireDead, "expire", "untag", 1), ""))
		run(t, &r)
		if got := len(w.Images["app"][0].Tags); got != left {
			t.Errorf("%d tags are left, want %d", got, left)
		}
	}
}

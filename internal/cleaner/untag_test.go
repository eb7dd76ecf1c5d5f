package cleaner_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func tagged(digest string) evaluator.Image { return image(digest, 9*day, "t-"+digest, "v-"+digest) }

func TestUntaggingHasOutcomesOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(tagged("done"), tagged("gone"), tagged("refused"), tagged("moved"))
	plan := losing(w.images["app"]...)
	r := w.remover()
	untag := r.untag
	r.untag = func(ctx context.Context, repository string, tags []string) (cleaner.Untagging, error) {
		done, err := untag(ctx, repository, tags)
		for _, tag := range []string{"t-gone", "t-refused"} {
			delete(done.Removed, tag)
		}
		done.Failed["t-gone"] = cleaner.Failure{Code: "ImageNotFound"}
		done.Failed["t-refused"] = cleaner.Failure{Code: "KmsError"}
		done.Removed["t-moved"] = "other"
		return done, err
	}
	applyTo(t, r, plan)
	want := map[string]string{
		"done": "untagged", "gone": "changed: its tags were not there any more", "refused": "failed: tag t-refused: KmsError",
		"moved": "unknown: tag t-moved had moved to other and was removed there; push it again",
	}
	if diff := cmp.Diff(want, settled(plan)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
}

// Of an image that loses some of its tags the log must not say that it stayed as
// it was.
func TestUntaggingHalfDoneIsUnconfirmed(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("half", 9*day, "t-1", "t-2", "v"), image("moved", 9*day, "t-3", "v-3"), image("refused", 9*day, "t-4", "v-4"))
	plan := planOf(evaluator.Untag, w.images["app"]...)
	for i, tags := range [][]string{{"t-1", "t-2"}, {"t-3"}, {"t-4"}} {
		plan.Images[i].Untag = tags
	}
	r := w.remover()
	r.untag = func(context.Context, string, []string) (cleaner.Untagging, error) {
		refused := cleaner.Failure{Code: "KmsError"}
		return cleaner.Untagging{
			Removed: map[string]string{"t-1": "half", "t-3": "other"}, Failed: map[string]cleaner.Failure{"t-2": refused, "t-4": refused},
		}, nil
	}
	var log bytes.Buffer
	cleaner.Apply(t.Context(), r, plan, slog.New(slog.NewJSONHandler(&log, nil)))
	want := map[string]string{
		"half":    "unknown: 1 of its 2 tags were removed, but tag t-2: KmsError",
		"moved":   "unknown: tag t-3 had moved to other and was removed there; push it again",
		"refused": "failed: tag t-4: KmsError",
	}
	if diff := cmp.Diff(want, settled(plan)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
	if n := strings.Count(log.String(), `"unconfirmed":true`); n != 2 {
		t.Errorf("%d images are unconfirmed, want 2:\n%s", n, &log)
	}
}

// An answer can be lost after the work was done; what is left half done is said.
func TestUntaggingWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	lost := fmt.Errorf("remove tags: %w", cleaner.ErrUnanswered)
	for name, test := range map[string]struct {
		carriedOut bool
		want       string
	}{
		"done":     {true, "untagged: unconfirmed: remove tags: no answer, but without them now"},
		"not done": {false, "untagged"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(tagged("a"))
			plan := losing(w.images["app"]...)
			r := w.remover()
			untag, calls := r.untag, 0
			r.untag = func(ctx context.Context, repository string, tags []string) (cleaner.Untagging, error) {
				if calls++; calls > 1 {
					return untag(ctx, repository, tags)
				}
				if test.carriedOut {
					_, _ = untag(ctx, repository, tags)
				}
				return cleaner.Untagging{}, lost
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
	plan := losing(w.images["app"]...)
	r := w.remover()
	r.untag = func(context.Context, string, []string) (cleaner.Untagging, error) {
		return cleaner.Untagging{}, cleaner.ErrRepositoryNotFound
	}
	applyTo(t, r, plan)
	if got := settled(plan)["a"]; got != "gone: the repository is not there any more" {
		t.Errorf("outcome %q", got)
	}
}

// An image loses as many tags in a run as go in one call: between two calls the
// tag that is to remain may go.
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
		if got := len(w.images["app"][0].Tags); got != left {
			t.Errorf("%d tags are left, want %d", got, left)
		}
	}
}

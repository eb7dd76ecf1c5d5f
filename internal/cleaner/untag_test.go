package cleaner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// losing returns a plan by which the images lose the tags "t-" and their
// digests.
func losing(images ...evaluator.Image) *cleaner.RepositoryPlan {
	plan := planOf(evaluator.Untag, images...)
	for i := range plan.Images {
		plan.Images[i].Untag = []string{"t-" + plan.Images[i].Digest}
	}
	return plan
}

func tagged(digest string) evaluator.Image { return image(digest, 9*day, "t-"+digest, "v-"+digest) }

func TestUntaggingHasOutcomesOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(tagged("done"), tagged("gone"), tagged("refused"), tagged("moved"))
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
	apply(t, r, plan)
	want := map[string]string{
		"done": "untagged", "gone": "untagged", "refused": "failed: tag t-refused: KmsError",
		"moved": "failed: tag t-moved had moved to other and was removed there; push it again",
	}
	if diff := cmp.Diff(want, settled(plan)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
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
			w := newWorld(tagged("a"))
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
			apply(t, r, plan)
			if got := settled(plan)["a"]; got != test.want {
				t.Errorf("%s: %q, want %q", name, got, test.want)
			}
		})
	}
}

func TestUntaggingInARepositoryThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(tagged("a"))
	plan := losing(w.images["app"]...)
	r := w.remover()
	r.untag = func(context.Context, string, []string) (cleaner.Untagging, error) {
		return cleaner.Untagging{}, cleaner.ErrRepositoryNotFound
	}
	apply(t, r, plan)
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
	w := newWorld(im)
	for _, left := range []int{151, 51, 1, 1} {
		r := newRunner(t, w, withPolicy(strings.Replace(expireDead, "expire", "untag", 1), ""))
		run(t, &r)
		if got := len(w.images["app"][0].Tags); got != left {
			t.Errorf("%d tags are left, want %d", got, left)
		}
	}
}

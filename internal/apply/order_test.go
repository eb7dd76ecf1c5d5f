package apply_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// ECR refuses to delete a child in the same call as its index.
func TestApplyDeletesIndexesFirstInSeparateCalls(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		images  []evaluator.Image
		parents map[string][]string
		want    [][]string
	}{
		"indexes before other images": {
			[]evaluator.Image{image("child", 5*day), image("a", 4*day), index("i", 3*day), index("j", 2*day)},
			map[string][]string{"child": {"i"}},
			[][]string{{"i", "j"}, {"child"}, {"a"}},
		},
		"indexes before other subjects": {
			[]evaluator.Image{image("sig", 5*day), image("s", 4*day), index("i", 3*day)},
			map[string][]string{"sig": {"i", "s"}},
			[][]string{{"i"}, {"s"}, {"sig"}},
		},
		"outer indexes before inner ones": {
			[]evaluator.Image{index("outer", 5*day), index("inner", 4*day), image("leaf", 3*day), image("other", 3*day)},
			map[string][]string{"inner": {"outer"}, "leaf": {"inner"}, "other": {"outer"}},
			[][]string{{"outer"}, {"inner"}, {"other"}, {"leaf"}},
		},
		"subjects before their referrers": {
			[]evaluator.Image{image("sig", 5*day), image("sbom", 4*day), image("s", 3*day)},
			map[string][]string{"sbom": {"s"}, "sig": {"sbom"}},
			[][]string{{"s"}, {"sbom"}, {"sig"}},
		},
	} {
		w := newFakeRegistry(test.images...)
		plan := planOf(evaluator.Expire, slices.Clone(test.images)...)
		for i := range plan.Images {
			plan.Images[i].Parents = test.parents[plan.Images[i].Digest]
		}
		applyTo(t, w.Remover(), plan)
		awstest.Equal(t, name+": deletions", test.want, w.Deletions())
	}
}

// A group may be larger than a call. Its images are still deleted after their parents.
func TestALargeGroupIsDeletedInSeveralBatches(t *testing.T) {
	t.Parallel()
	images := append(numbered(250, 3*day), index("i", 2*day))
	w := newFakeRegistry(images...)
	p := planOf(evaluator.Expire, slices.Clone(images)...)
	for i := range 250 {
		p.Images[i].Parents = []string{"i"}
	}
	applyTo(t, w.Remover(), p)
	awstest.Equal(t, "first deletion", []string{"i"}, w.Deletions()[0])
	for i, batch := range w.Batches {
		if len(batch) > plan.MaxBatch {
			t.Errorf("call %d has %d digests", i, len(batch))
		}
	}
	if left := w.Digests("app"); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// To run an index is to pull one of its children. The cleaner's manifest read may count as
// a pull of the index.
func TestThePullsOfTheChildrenOfAnIndexCount(t *testing.T) {
	t.Parallel()
	const (
		childPulled = "changed: lastRecordedPullTime of its child c changed since the plan"
		tagged      = "changed: imageTags changed since the plan"
		archived    = "changed: imageStatus changed since the plan"
	)
	for name, test := range map[string]struct {
		now     []evaluator.Image
		ours    string // when the index's own pull is in the span of our read
		notOurs string // when it is not
	}{
		"own pull":            {[]evaluator.Image{pulled(index("i", 9*day), 0), pulled(image("c", 9*day), 8*day)}, "deleted", "changed: lastRecordedPullTime changed since the plan"},
		"pull of a child":     {[]evaluator.Image{pulled(index("i", 9*day), 2*day), pulled(image("c", 9*day), 0)}, childPulled, childPulled},
		"child gone":          {[]evaluator.Image{pulled(index("i", 9*day), 2*day)}, "deleted", "deleted"},
		"nothing":             {[]evaluator.Image{pulled(index("i", 9*day), 2*day), pulled(image("c", 9*day), 8*day)}, "deleted", "deleted"},
		"tags of the index":   {[]evaluator.Image{pulled(index("i", 9*day, "v1"), 2*day), pulled(image("c", 9*day), 8*day)}, tagged, tagged},
		"status of the index": {[]evaluator.Image{fixture.WithStatus(pulled(index("i", 9*day), 2*day), evaluator.Archived)}, archived, archived},
	} {
		for read, want := range map[plan.Span]string{{From: now, To: now}: test.ours, {}: test.notOurs} {
			plan := planOf(evaluator.Expire, pulled(index("i", 9*day), 2*day))
			plan.Images[0].Children = []evaluator.Image{pulled(image("c", 9*day), 8*day)}
			plan.Images[0].Read = read
			applyTo(t, newFakeRegistry(test.now...).Remover(), plan)
			awstest.Equal(t, fmt.Sprintf("%s, read at %v", name, read), want, settled(plan)["i"])
		}
	}
}

// No image is deleted while a parent of it is not.
func TestApplyKeepsTheChildrenOfKeptParents(t *testing.T) {
	t.Parallel()
	for outcome, test := range map[string]struct {
		change func(*fakeRegistry, *remover)
		want   map[string]string
	}{
		"parent deleted": {func(*fakeRegistry, *remover) {}, map[string]string{"i": "deleted", "c": "deleted", "sig": "deleted"}},
		"parent gone": {
			func(w *fakeRegistry, _ *remover) { w.Images["app"] = w.Images["app"][1:] },
			map[string]string{"i": "gone: not there any more", "c": "deleted", "sig": "deleted"},
		},
		"parent changed": {
			func(w *fakeRegistry, _ *remover) { w.Images["app"][0].Tags = []string{"v1"} },
			map[string]string{
				"i": "changed: imageTags changed since the plan", "c": "blocked: it belongs to i, which was not removed",
				"sig": "blocked: it belongs to c, which was not removed",
			},
		},
		"parent refused": {
			func(_ *fakeRegistry, r *remover) { fixture.Refuse(r, "i", "KmsError") },
			map[string]string{"i": "failed: KmsError", "c": "blocked: it belongs to i, which was not removed", "sig": "blocked: it belongs to c, which was not removed"},
		},
	} {
		w := newFakeRegistry(index("i", 9*day), image("c", 9*day), image("sig", 9*day))
		p := planOf(evaluator.Expire, slices.Clone(w.Images["app"])...)
		p.Images[1].Parents, p.Images[2].Parents = []string{"i"}, []string{"c"}
		p.Images[1].Action, p.Images[2].Action = plan.Follow, plan.Follow
		r := w.Remover()
		test.change(w, &r)
		applyTo(t, r, p)
		awstest.Equal(t, outcome+": outcomes", test.want, settled(p))
	}
}

// An index that is not in the plan may be deleted meanwhile, and then its child can be.
func TestABlockedImageIsTriedOnceMoreAtTheEnd(t *testing.T) {
	t.Parallel()
	for tries, want := range map[int]string{1: "deleted", 2: "blocked: ImageReferencedByManifestList"} {
		w := newFakeRegistry(image("child", 9*day), image("other", 9*day))
		r := w.Remover()
		calls := 0
		next := r.DeleteFunc
		r.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
			if calls++; calls > tries || !slices.Contains(digests, "child") {
				return next(ctx, repository, digests)
			}
			return apply.Deletion{Deleted: []string{"other"}, Failed: []plan.Failure{{Digest: "child", Code: "ImageReferencedByManifestList"}}}, nil
		}
		plan := planOf(evaluator.Expire, w.Images["app"]...)
		applyTo(t, r, plan)
		if got := settled(plan); got["child"] != want || got["other"] != "deleted" || calls != 2 {
			t.Errorf("refused %d times: %v after %d calls, want %q", tries, got, calls, want)
		}
	}
}

package apply_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func TestApplyDescribesEachBatchRightBeforeItDeletesIt(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(numbered(250, 2*day)...)
	p := planOf(evaluator.Expire, w.Images["app"]...)
	applyTo(t, w.Remover(), p)
	if want := []string{"describe", "delete", "describe", "delete", "describe", "delete"}; !slices.Equal(w.Calls, want) {
		t.Fatalf("calls %v, want %v", w.Calls, want)
	}
	for i := 0; i < len(w.Batches); i += 2 {
		if diff := cmp.Diff(w.Batches[i], w.Batches[i+1]); diff != "" {
			t.Errorf("batch %d: described and deleted differ (-described +deleted):\n%s", i/2, diff)
		}
		if n := len(w.Batches[i]); n > plan.MaxBatch {
			t.Errorf("batch %d has %d digests", i/2, n)
		}
	}
	if left := w.Digests("app"); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	for _, im := range p.Images {
		if im.Outcome != plan.Deleted || im.Message != "" {
			t.Errorf("%s: %s %s", im.Digest, im.Outcome, im.Message)
		}
	}
}

func TestApplyArchivesOneByOneIndexesFirst(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 4*day), index("i", 3*day))
	plan := planOf(evaluator.Transition, w.Images["app"]...)
	applyTo(t, w.Remover(), plan)
	var archived []string
	for i, call := range w.Calls {
		if call == "archive" {
			archived = append(archived, w.Batches[i]...)
		}
	}
	if want := []string{"i", "a"}; !slices.Equal(archived, want) {
		t.Errorf("archived %v, want %v", archived, want)
	}
	if want := map[string]string{"a": "archived", "i": "archived"}; !cmp.Equal(settled(plan), want) {
		t.Errorf("outcomes %v, want %v", settled(plan), want)
	}
}

func TestApplySkipsProtectedAndSettledImages(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day), image("protected", 2*day), image("settled", 2*day))
	p := planOf(evaluator.Expire, w.Images["app"]...)
	p.Images[1].ProtectedBy = []plan.Protection{{Kind: plan.ByKeepNewest, By: "1 newest image"}}
	p.Images[2].Outcome = plan.Changed
	applyTo(t, w.Remover(), p)
	if want := []string{"protected", "settled"}; !slices.Equal(w.Digests("app"), want) {
		t.Errorf("left are %v, want %v", w.Digests("app"), want)
	}
	if want := map[string]string{"a": "deleted", "protected": "", "settled": "changed"}; !cmp.Equal(settled(p), want) {
		t.Errorf("outcomes %v, want %v", settled(p), want)
	}
	skipped := planOf(evaluator.Expire, w.Images["app"]...)
	skipped.Skip = &plan.Skip{Code: plan.SkipLimit}
	applyTo(t, remover{}, skipped) // has nothing that could be called
	applyTo(t, remover{}, planOf(evaluator.Expire))
}

// The registry may change between the plan and the removal.
func TestApplyKeepsImagesThatHaveChanged(t *testing.T) {
	t.Parallel()
	restore := restored(image("restored", 9*day), time.Minute)
	w := newFakeRegistry(image("same", 9*day, "b", "a"), image("more tags", 9*day, "v1", "latest"), image("fewer tags", 9*day),
		withStatus(image("archived", 9*day), evaluator.Archived), pulled(image("pulled", 9*day), time.Minute),
		image("pushed", time.Minute), restore)
	plan := planOf(evaluator.Expire, image("same", 9*day, "a", "b"), image("more tags", 9*day, "v1"), image("fewer tags", 9*day, "v2"),
		image("archived", 9*day), image("pulled", 9*day), image("pushed", 9*day), image("restored", 9*day), image("gone", 9*day))
	applyTo(t, w.Remover(), plan)
	want := map[string]string{
		"same":      "deleted",
		"more tags": "changed: imageTags changed since the plan", "fewer tags": "changed: imageTags changed since the plan",
		"archived": "changed: imageStatus changed since the plan", "pulled": "changed: lastRecordedPullTime changed since the plan",
		"pushed": "changed: imagePushedAt changed since the plan", "restored": "changed: imagePushedAt changed since the plan",
		"gone": "gone: not there any more",
	}
	if diff := cmp.Diff(want, settled(plan)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
	if len(w.Images["app"]) != 6 {
		t.Errorf("left are %v", w.Digests("app"))
	}
}

func TestASecondApplyDeletesNothing(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(numbered(150, 2*day)...)
	first := planOf(evaluator.Expire, w.Images["app"]...)
	second := planOf(evaluator.Expire, w.Images["app"]...)
	applyTo(t, w.Remover(), first)
	calls := len(w.Calls)
	applyTo(t, w.Remover(), second)
	if slices.Contains(w.Calls[calls:], "delete") {
		t.Errorf("the second time the calls are %v", w.Calls[calls:])
	}
	for digest, outcome := range settled(second) {
		if outcome != "gone: not there any more" {
			t.Errorf("%s: %s", digest, outcome)
		}
	}
}

func TestApplyWithACancelledContext(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(numbered(3, 2*day)...)
	r := w.Remover()
	r.DescribeFunc = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	plan := planOf(evaluator.Expire, w.Images["app"]...)
	applyPlan(ctx, r, plan, slog.New(slog.DiscardHandler))
	for digest, outcome := range settled(plan) {
		if outcome != "not attempted: the run was stopped before this image; run again" {
			t.Errorf("%s: %s", digest, outcome)
		}
	}
	if len(w.Images["app"]) != 3 {
		t.Error("images are deleted with a cancelled context")
	}
}

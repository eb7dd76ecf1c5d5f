package cleaner_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func TestApplyDescribesEachBatchRightBeforeItDeletesIt(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(numbered(250, 2*day)...)
	plan := planOf(evaluator.Expire, w.images["app"]...)
	applyTo(t, w.remover(), plan)
	if want := []string{"describe", "delete", "describe", "delete", "describe", "delete"}; !slices.Equal(w.calls, want) {
		t.Fatalf("calls %v, want %v", w.calls, want)
	}
	for i := 0; i < len(w.batches); i += 2 {
		if diff := cmp.Diff(w.batches[i], w.batches[i+1]); diff != "" {
			t.Errorf("batch %d: described and deleted differ (-described +deleted):\n%s", i/2, diff)
		}
		if n := len(w.batches[i]); n > cleaner.MaxBatch {
			t.Errorf("batch %d has %d digests", i/2, n)
		}
	}
	if left := w.digests("app"); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	for _, im := range plan.Images {
		if im.Outcome != cleaner.Deleted || im.Message != "" {
			t.Errorf("%s: %s %s", im.Digest, im.Outcome, im.Message)
		}
	}
}

func TestApplyArchivesOneByOneIndexesFirst(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 4*day), index("i", 3*day))
	plan := planOf(evaluator.Transition, w.images["app"]...)
	applyTo(t, w.remover(), plan)
	var archived []string
	for i, call := range w.calls {
		if call == "archive" {
			archived = append(archived, w.batches[i]...)
		}
	}
	if want := []string{"i", "a"}; !slices.Equal(archived, want) {
		t.Errorf("archived %v, want %v", archived, want)
	}
	if want := map[string]string{"a": "archived", "i": "archived"}; !cmp.Equal(settled(plan), want) {
		t.Errorf("outcomes %v, want %v", settled(plan), want)
	}
}

func TestApplyLeavesAlone(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day), image("protected", 2*day), image("settled", 2*day))
	plan := planOf(evaluator.Expire, w.images["app"]...)
	plan.Images[1].ProtectedBy = []cleaner.Protection{{Kind: cleaner.ByKeepNewest, By: "1 newest image"}}
	plan.Images[2].Outcome = cleaner.Changed
	applyTo(t, w.remover(), plan)
	if want := []string{"protected", "settled"}; !slices.Equal(w.digests("app"), want) {
		t.Errorf("left are %v, want %v", w.digests("app"), want)
	}
	if want := map[string]string{"a": "deleted", "protected": "", "settled": "changed"}; !cmp.Equal(settled(plan), want) {
		t.Errorf("outcomes %v, want %v", settled(plan), want)
	}
	skipped := planOf(evaluator.Expire, w.images["app"]...)
	skipped.Skip = &cleaner.Skip{Code: cleaner.SkipLimit}
	applyTo(t, remover{}, skipped) // has nothing that could be called
	applyTo(t, remover{}, planOf(evaluator.Expire))
}

// The registry may change between the plan and the removal.
func TestApplyLeavesAloneWhatIsNotAsPlanned(t *testing.T) {
	t.Parallel()
	restore := restored(image("restored", 9*day), time.Minute)
	w := newFakeRegistry(image("same", 9*day, "b", "a"), image("more tags", 9*day, "v1", "latest"), image("fewer tags", 9*day),
		withStatus(image("archived", 9*day), evaluator.Archived), pulled(image("pulled", 9*day), time.Minute),
		image("pushed", time.Minute), restore)
	plan := planOf(evaluator.Expire, image("same", 9*day, "a", "b"), image("more tags", 9*day, "v1"), image("fewer tags", 9*day, "v2"),
		image("archived", 9*day), image("pulled", 9*day), image("pushed", 9*day), image("restored", 9*day), image("gone", 9*day))
	applyTo(t, w.remover(), plan)
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
	if len(w.images["app"]) != 6 {
		t.Errorf("left are %v", w.digests("app"))
	}
}

func TestASecondApplyDeletesNothing(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(numbered(150, 2*day)...)
	first := planOf(evaluator.Expire, w.images["app"]...)
	second := planOf(evaluator.Expire, w.images["app"]...)
	applyTo(t, w.remover(), first)
	calls := len(w.calls)
	applyTo(t, w.remover(), second)
	if slices.Contains(w.calls[calls:], "delete") {
		t.Errorf("the second time the calls are %v", w.calls[calls:])
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
	r := w.remover()
	r.describe = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	plan := planOf(evaluator.Expire, w.images["app"]...)
	cleaner.Apply(ctx, r, plan, slog.New(slog.DiscardHandler))
	for digest, outcome := range settled(plan) {
		if outcome != "not attempted: the run was stopped before it" {
			t.Errorf("%s: %s", digest, outcome)
		}
	}
	if len(w.images["app"]) != 3 {
		t.Error("images are deleted with a cancelled context")
	}
}

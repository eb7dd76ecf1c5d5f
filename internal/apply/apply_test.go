package apply_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
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
		awstest.Equal(t, fmt.Sprintf("batch %d: digests described and then deleted", i/2), w.Batches[i], w.Batches[i+1])
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
	awstest.Equal(t, "archived", []string{"i", "a"}, archived)
	awstest.Equal(t, "outcomes", map[string]string{"a": "archived", "i": "archived"}, settled(plan))
}

func TestApplySkipsProtectedAndSettledImages(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day), image("protected", 2*day), image("settled", 2*day))
	p := planOf(evaluator.Expire, w.Images["app"]...)
	p.Images[1].ProtectedBy = []plan.Protection{{Kind: plan.ByKeepNewest, By: "1 newest image"}}
	p.Images[2].Outcome = plan.Changed
	applyTo(t, w.Remover(), p)
	awstest.Equal(t, "left", []string{"protected", "settled"}, w.Digests("app"))
	awstest.Equal(t, "outcomes", map[string]string{"a": "deleted", "protected": "", "settled": "changed"}, settled(p))
	skipped := planOf(evaluator.Expire, w.Images["app"]...)
	skipped.Skip = &plan.Skip{Code: plan.SkipLimit}
	applyTo(t, remover{}, skipped) // has nothing that could be called
	applyTo(t, remover{}, planOf(evaluator.Expire))
}

// The registry may change between the plan and the removal.
func TestApplyKeepsImagesThatHaveChanged(t *testing.T) {
	t.Parallel()
	restore := fixture.Restored(image("restored", 9*day), time.Minute)
	w := newFakeRegistry(image("same", 9*day, "b", "a"), image("more tags", 9*day, "v1", "latest"), image("fewer tags", 9*day),
		fixture.WithStatus(image("archived", 9*day), evaluator.Archived), pulled(image("pulled", 9*day), time.Minute),
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
	awstest.Equal(t, "outcomes", want, settled(plan))
	awstest.Equal(t, "number of images left", 6, len(w.Images["app"]))
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
		awstest.Equal(t, digest, "gone: not there any more", outcome)
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
		awstest.Equal(t, digest, "not attempted: the run was stopped before this image; run again", outcome)
	}
	awstest.Equal(t, "number of images left", 3, len(w.Images["app"]))
}

// The images of a saved plan are in the report even if their repository was deleted,
// before or during the run.
func TestASavedPlanAccountsForARepositoryThatIsGone(t *testing.T) {
	t.Parallel()
	for name, vanish := range map[string]func(*fakeRegistry, *reader){
		"before the run": func(w *fakeRegistry, _ *reader) { w.Names = nil },
		"after the listing of repositories": func(_ *fakeRegistry, reader *reader) {
			reader.ImagesFunc = func(context.Context, string) ([]evaluator.Image, error) { return nil, plan.ErrRepositoryNotFound }
		},
	} {
		w := newFakeRegistry(image("sha256:a", 9*day), image("sha256:b", 9*day)).Add("other", image("sha256:c", 9*day))
		r := newRunner(t, w, fixture.ExpireAll)
		r.Remover = nil
		saved := run(t, &r)
		reader := w.Reader()
		vanish(w, &reader)
		if name == "before the run" {
			w.Names = []string{"other"}
		}
		log := &logged{}
		r.Registry, r.Remover, r.Saved, r.Log = reader, w.Remover(), &saved, log.Logger()
		report := run(t, &r)
		got := repositoryOf(t, &report, "app")
		if got.Skipped != plan.SkipGone || got.Gone != 2 || len(got.Images) != 2 || report.Incomplete || !report.Handled() {
			t.Errorf("%s: %+v, incomplete %t", name, got, report.Incomplete)
		}
		if outcomes := log.Outcomes(t); outcomes["sha256:a"] != "gone: the repository no longer exists" || len(outcomes) < 2 {
			t.Errorf("%s: log %v", name, outcomes)
		}
	}
}

// A changed image of a saved plan has an outcome even if its repository is skipped. That
// is no fault of the program.
func TestASavedPlanAccountsForARepositoryThatIsSkipped(t *testing.T) {
	t.Parallel()
	for want, hinder := range map[plan.SkipCode]func(*testing.T, *cleaner.Runner){
		plan.SkipLimit: func(_ *testing.T, r *cleaner.Runner) { r.Config.Policies[0].Limits.MaxDeletionsPerRepository = 1 },
		plan.SkipScanFailed: func(_ *testing.T, r *cleaner.Runner) {
			fixture.Scans(r, inuse.Scan{Failed: []inuse.Failure{{Source: "ecs", Err: errors.New("denied")}}})
		},
		plan.SkipNoPolicy: func(_ *testing.T, r *cleaner.Runner) { r.Config.Policies[0].Source = config.Attached },
	} {
		w := newFakeRegistry(numbered(4, 9*day)...)
		r := newRunner(t, w, fixture.Scanned)
		r.Remover = nil
		fixture.Scans(&r, inuse.Scan{})
		saved := run(t, &r)
		w.Take("delete", "app", []string{"sha256:0000"})
		w.Images["app"][0].Tags = []string{"new"}
		hinder(t, &r)
		r.Remover, r.Saved = w.Remover(), &saved
		report := run(t, &r)
		if got := repositoryOf(t, &report, "app"); got.Skipped != want || len(got.Images) != 4 || got.Deleted != 0 {
			t.Errorf("skipped %q, %d images, want %q; %+v", got.Skipped, len(got.Images), want, got.Counts)
		}
		if n := report.Undone()["faults of the program"]; n > 0 {
			t.Errorf("%s: %v", want, report.Findings)
		}
	}
}

// An image that the first plan protects and the second plan would remove is kept, and
// stays in the report.
func TestAProtectedImageStaysInTheReport(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(append(numbered(150, 9*day), image("sha256:used", 9*day))...)
	r := newRunner(t, w, fixture.Scanned)
	fixture.Scans(&r, inuse.Scan{Uses: []inuse.Use{use("sha256:used", "task")}}, inuse.Scan{Uses: []inuse.Use{use("v1", "task")}})
	fixture.Aging(&r, w.Remover(), 1)
	report := run(t, &r)
	if n := len(repositoryOf(t, &report, "app").Images); n != 151 || report.Totals.Protected != 1 || report.Totals.Deleted != 150 {
		t.Errorf("%d images, counts %+v", n, report.Totals.Counts)
	}
}

// A report that contradicts itself has a finding, and is incomplete.
func TestAFaultInTheAccountIsSaid(t *testing.T) {
	t.Parallel()
	p := planOf(evaluator.Expire, image("sha256:a", 9*day), image("sha256:b", 9*day))
	p.Images[0].Outcome = plan.Deleted
	p.Images[0].ProtectedBy = []plan.Protection{{Kind: plan.ByTagPattern, By: "v*"}}
	p.Images[1].Outcome = plan.Deleted
	apply.CheckOutcomes(p)
	var made report.Report
	made.Add(report.Of(p, true))
	want := "the program is faulty: 1 of 2 images do not have exactly one of a protection and an outcome, such as sha256:a; please report it"
	if len(made.Findings) != 1 || made.Findings[0].Message != want || !made.Incomplete || made.Undone()["faults of the program"] != 1 {
		t.Errorf("findings %v, incomplete %t, undone %v", made.Findings, made.Incomplete, made.Undone())
	}
}

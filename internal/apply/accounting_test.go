package apply_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

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
		r := newRunner(t, w, expireAll)
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
			scans(r, inuse.Scan{Failed: []inuse.Failure{{Source: "ecs", Err: errors.New("denied")}}})
		},
		plan.SkipNoPolicy: func(_ *testing.T, r *cleaner.Runner) { r.Config.Policies[0].Source = config.Attached },
	} {
		w := newFakeRegistry(numbered(4, 9*day)...)
		r := newRunner(t, w, scanned)
		r.Remover = nil
		scans(&r, inuse.Scan{})
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
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{Uses: []inuse.Use{use("sha256:used", "task")}}, inuse.Scan{Uses: []inuse.Use{use("v1", "task")}})
	aging(&r, w.Remover(), 1)
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

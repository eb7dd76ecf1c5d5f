package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func TestReadPlan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"version": 1, "mode": "plan"}`:  "",
		`{`:                               "is not a saved plan: unexpected end of JSON input; write one with plan --out",
		`{"mode": 1}`:                     "is not a saved plan: mode cannot be a JSON number; write one with plan --out",
		`[]`:                              "is not a saved plan: it cannot be a JSON array; write one with plan --out",
		`{"version": 2, "mode": "plan"}`:  "is a report of version 2, not 1; plan again",
		`{"version": 1, "mode": "apply"}`: `is the report of mode "apply", not a plan; write one with plan --out`,
		`{"version": 1, "mode": "plan", "omitted": {"findings": 1}}`: "was shortened and lacks images; write one with plan --out",
	} {
		got := ""
		if _, err := report.ReadPlan([]byte(text)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := (&report.PlanError{Reason: "is old"}).Error(); got != "saved plan is old" {
		t.Errorf("error %q", got)
	}
}

func TestTheRepositoriesOfASavedPlan(t *testing.T) {
	t.Parallel()
	images := []report.Image{{ImageDigest: "a"}, {ImageDigest: "kept", ProtectedBy: []plan.Protection{{Kind: plan.ByTagPattern}}}}
	images[0].ManifestReadFrom = now
	r := report.Report{Repositories: []report.Repository{
		{Name: "app", Images: images},
		{Name: "skipped", Images: images, Skipped: plan.SkipLimit},
	}}
	for name, want := range map[string][]string{"app": {"a"}, "skipped": nil, "missing": nil} {
		repository := r.Repository(name)
		var removable, read []string
		for _, im := range repository.Removable() {
			removable = append(removable, im.ImageDigest)
		}
		for _, im := range repository.ManifestReads() {
			read = append(read, im.Digest)
			if !im.Read.From.Equal(now) {
				t.Errorf("%s: the manifest of %s was read at %v", name, im.Digest, im.Read.From)
			}
		}
		if !cmp.Equal(removable, want) || !cmp.Equal(read, want) {
			t.Errorf("%s: removable %v, manifests read %v, want %v", name, removable, read, want)
		}
	}
}

// A saved image has the action of a fresh plan, whether it expires or follows another.
func TestWants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		saved report.Image
		fresh plan.Image
		want  bool
	}{
		{report.Image{Verdict: evaluator.Expire}, plan.Image{Action: evaluator.Expire}, true},
		{report.Image{Verdict: evaluator.Expire}, plan.Image{Action: plan.Follow}, true},
		{report.Image{Verdict: plan.Follow}, plan.Image{Action: evaluator.Expire}, true},
		{report.Image{Verdict: evaluator.Transition}, plan.Image{Action: evaluator.Expire}, false},
		{report.Image{Verdict: evaluator.Expire, OnExpire: config.ArchiveExpired}, plan.Image{Action: evaluator.Expire}, false},
		{report.Image{Verdict: evaluator.Untag, Untag: []string{"a"}}, plan.Image{Action: evaluator.Untag, Untag: []string{"a"}}, true},
		{report.Image{Verdict: evaluator.Untag, Untag: []string{"a"}}, plan.Image{Action: evaluator.Untag, Untag: []string{"b"}}, false},
	} {
		if got := c.saved.Wants(&c.fresh); got != c.want {
			t.Errorf("%+v and %+v: %v", c.saved, c.fresh, got)
		}
		if c.saved.Archives() != (c.saved.Verdict == evaluator.Transition || c.saved.OnExpire != "") {
			t.Errorf("%+v: archives %v", c.saved, c.saved.Archives())
		}
	}
}

// A planned image is the same after it was reported, saved and read.
func TestPlannedIsTheReverseOfOfImage(t *testing.T) {
	t.Parallel()
	want := plan.Image{
		Image: pulled(restored(image("sha256:a", 9*day, "v1"), day), day), Action: evaluator.Untag, Untag: []string{"v1"}, Rule: 3, Reason: "old",
	}
	saved := report.OfImage(&want)
	if got := report.OfImage(new(saved.Planned())); !cmp.Equal(got, saved) {
		t.Errorf("saved image (-want +got):\n%s", cmp.Diff(saved, got))
	}
}

func TestUndone(t *testing.T) {
	t.Parallel()
	r := one(t)
	rep := run(t, &r)
	want := map[string]int{"images failed": 1, "images unknown": 1, "images not attempted": 1}
	if diff := cmp.Diff(want, rep.Undone()); diff != "" || !rep.Incomplete {
		t.Errorf("incomplete %v, undone (-want +got):\n%s", rep.Incomplete, diff)
	}
	if got := (&report.Report{}).Undone(); len(got) > 0 {
		t.Errorf("an empty report has undone %v", got)
	}
}

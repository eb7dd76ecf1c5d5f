package cleaner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// save plans the registry and returns the plan as it comes back from a file.
func save(t *testing.T, w *fakeRegistry, text string) *report.Report {
	t.Helper()
	r := newRunner(t, w, text)
	r.Remover = nil
	saved, err := report.ReadPlan([]byte(fixture.ToJSON(t, run(t, &r))))
	if err != nil {
		t.Fatalf("ReadSavedPlan: %v", err)
	}
	return saved
}

// applySaved applies a saved plan to the registry one hour later.
func applySaved(t *testing.T, w *fakeRegistry, text string, saved *report.Report) report.Report {
	t.Helper()
	r := newRunner(t, w, text)
	r.Saved, r.Now = saved, now.Add(time.Hour)
	return run(t, &r)
}

func TestASavedPlanIsAppliedAsItIs(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(pulled(image("a", 9*day, "v1"), 8*day), fixture.Restored(image("b", 9*day), 2*day), image("young", time.Hour)).Add("b", index("i", 9*day), image("c", 9*day))
	w.Children["i"] = []string{"c"}
	saved := save(t, w, expireAll)
	report := applySaved(t, w, expireAll, saved)
	if got := report.Totals; got.Deleted != 4 || got.Expired != 4 || !report.Handled() || report.Mode != config.Apply {
		t.Errorf("totals %+v, want 4 deleted", got)
	}
	awstest.Equal(t, "left", []string{"young"}, w.Digests("app"))
}

func TestASavedPlanAddsNothing(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day), image("b", day-30*time.Minute)).Add("quiet", image("q", day-30*time.Minute)).Add("new repository")
	saved := save(t, w, expireAll)
	w.Images["app"] = append(w.Images["app"], image("pushed since", 3*day))
	w.Images["new repository"] = []evaluator.Image{image("x", 3*day)}
	saved.Repositories = slices.DeleteFunc(saved.Repositories, func(r report.Repository) bool { return r.Name == "new repository" })
	report := applySaved(t, w, expireAll, saved)
	awstest.Equal(t, "outcomes", map[string]plan.Outcome{"a": plan.Deleted}, outcomes(t, &report))
	awstest.Equal(t, "repositories in the report", 1, len(report.Repositories))
	awstest.Equal(t, "left", []string{"b", "pushed since"}, w.Digests("app"))
}

// Apply makes a new plan. An image that the new plan keeps is kept.
func TestASavedPlanKeepsChangedImages(t *testing.T) {
	t.Parallel()
	const text = `{"policies": [{"policy": ` + expireOld + `}], "protect": {"inUse": [], "tagPatterns": ["keep"], "keepNewest": 0, "pulledWithinDays": 7, "pushedWithinHours": 0}}`
	all := []evaluator.Image{
		image("same", 9*day), image("tagged", 9*day), image("protected", 9*day), image("pulled", 9*day), image("pulled before", 9*day),
		image("pushed again", 9*day), image("archived", 9*day), image("gone", 9*day),
	}
	w := newFakeRegistry(all...)
	saved := save(t, w, text)
	w.Images["app"] = []evaluator.Image{
		image("same", 9*day), image("tagged", 9*day, "v1"), image("protected", 9*day, "keep"), pulled(image("pulled", 9*day), 0),
		pulled(image("pulled before", 9*day), 8*day), image("pushed again", 0), fixture.WithStatus(image("archived", 9*day), evaluator.Archived),
	}
	report := applySaved(t, w, text, saved)
	got := map[string]string{}
	for _, im := range report.Repositories[0].Images {
		got[im.ImageDigest] = fmt.Sprintf("%s, %s %v", im.Outcome, im.Message, im.ProtectedBy)
	}
	want := map[string]string{
		"same": "deleted,  []", "tagged": "changed, imageTags changed since the plan []",
		"protected":     ",  [tagPatterns keep]",
		"pulled":        ",  [pulledWithinDays 7 days]",
		"pulled before": "changed, lastRecordedPullTime changed since the plan []",
		"pushed again":  "changed, a new plan keeps it []", "archived": "changed, a new plan keeps it []",
		"gone": "gone, not there any more []",
	}
	awstest.Equal(t, "outcomes", want, got)
	if len(w.Images["app"]) != 6 || !report.Handled() {
		t.Errorf("left are %v, handled %t", w.Digests("app"), report.Handled())
	}
}

// An unchanged image can become protected after another image was deleted.
func TestASavedPlanKeepsImagesThatAreProtectedNow(t *testing.T) {
	t.Parallel()
	const text = `{"policies": [{"policy": ` + expireOld + `}], "protect": {"inUse": [], "tagPatterns": [], "keepNewest": 1, "pulledWithinDays": 0, "pushedWithinHours": 0}}`
	w := newFakeRegistry(image("newest", 8*day), image("next", 9*day))
	saved := save(t, w, text)
	w.Images["app"] = w.Images["app"][1:]
	report := applySaved(t, w, text, saved)
	im := report.Repositories[0].Images[0]
	if im.ImageDigest != "next" || len(im.ProtectedBy) != 1 || im.Outcome != "" || report.Totals.Protected != 1 || len(w.Images["app"]) != 1 {
		t.Errorf("image %+v, left are %v", im, w.Digests("app"))
	}
}

// An attached policy can change without the configuration. An image with another verdict
// in the saved plan is kept.
func TestASavedPlanKeepsToItsVerdicts(t *testing.T) {
	t.Parallel()
	const text = `{` + unprotected + `}`
	w := newFakeRegistry(image("a", 9*day))
	w.Policies["app"] = archiveOld
	saved := save(t, w, text)
	w.Policies["app"] = expireOld
	report := applySaved(t, w, text, saved)
	if got := outcomes(t, &report)["a"]; got != plan.Changed || slices.Contains(w.Calls, "delete") || slices.Contains(w.Calls, "archive") {
		t.Errorf("outcome %q, calls %v", got, w.Calls)
	}
}

// Protected images of the plan are in the report again, and are kept.
func TestASavedPlanShowsProtectedImages(t *testing.T) {
	t.Parallel()
	const text = `{"policies": [{"policy": ` + expireOld + `}], "protect": {"inUse": [], "tagPatterns": ["keep"], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`
	w := newFakeRegistry(image("a", 9*day), image("b", 9*day, "keep"))
	saved := save(t, w, text)
	w.Images["app"] = append(w.Images["app"], image("c", 9*day, "keep"), image("d", 9*day))
	report := applySaved(t, w, text, saved)
	if got := report.Totals; got.Deleted != 1 || got.Protected != 2 {
		t.Errorf("totals %+v, want 1 deleted and 2 protected", got)
	}
	awstest.Equal(t, "left", []string{"b", "c", "d"}, w.Digests("app"))
}

func TestASavedPlanKeepsItsSkips(t *testing.T) {
	t.Parallel()
	text := fixture.Limited(`"maxDeletionsPerRepository": 1`)
	w := newFakeRegistry(image("a", 9*day), image("b", 9*day)).Add("b", image("c", 9*day))
	saved := save(t, w, text)
	w.Images["app"] = w.Images["app"][1:] // would be within the limit now
	report := applySaved(t, w, text, saved)
	if got := report.Repositories[0]; got.Skipped != plan.SkipLimit || got.Message != "skipped in the saved plan: 2 of 2 images would be removed, maxDeletionsPerRepository is 1" {
		t.Errorf("skipped %q, message %q", got.Skipped, got.Message)
	}
	if report.Totals.Deleted != 1 || report.Handled() || len(w.Images["app"]) != 1 {
		t.Errorf("totals %+v, handled %t", report.Totals, report.Handled())
	}
}

func TestASavedPlanIsLimitedAgain(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day), image("b", 9*day), image("c", time.Hour), image("d", time.Hour))
	text := fixture.Limited(`"maxDeletedPercent": 50`)
	saved := save(t, w, text)
	w.Images["app"] = w.Images["app"][:3]
	report := applySaved(t, w, text, saved)
	if got := report.Repositories[0]; got.Skipped != plan.SkipLimit || len(w.Images["app"]) != 3 {
		t.Errorf("skipped %q (%s), left are %v", got.Skipped, got.Message, w.Digests("app"))
	}
}

func TestASavedPlanForRepositoriesThatAreGone(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day)).Add("b", image("b", 9*day))
	saved := save(t, w, expireAll)
	reader := w.Reader()
	images := reader.ImagesFunc
	reader.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
		if repository == "app" {
			return nil, plan.ErrRepositoryNotFound
		}
		return images(ctx, repository)
	}
	r := newRunner(t, w, expireAll)
	r.Registry, r.Saved = reader, saved
	report := run(t, &r)
	awstest.Equal(t, "skipped", map[string]plan.SkipCode{"app": plan.SkipGone}, skips(&report))
	awstest.Equal(t, "deleted", 1, report.Totals.Deleted)
}

func TestASavedPlanReportsAFailedDescription(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day))
	saved := save(t, w, expireAll)
	w.Images["app"][0].PushedAt = evaluator.At(now)
	remover := w.Remover()
	remover.DescribeFunc = func(context.Context, string, []string) ([]evaluator.Image, error) { return nil, errors.New("denied") }
	r := newRunner(t, w, expireAll)
	r.Saved, r.Remover = saved, remover
	report := run(t, &r)
	im := report.Repositories[0].Images[0]
	if im.Outcome != plan.Failed || im.Message != "a new plan does not remove it, and its state is unknown: denied" {
		t.Errorf("%s: %s", im.Outcome, im.Message)
	}
}

func at(instant time.Time) string { return instant.UTC().Format(time.RFC3339) }

func TestASavedPlanIsForOneRegistryAndTime(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day))
	for name, test := range map[string]struct {
		change func(*report.Report)
		reason string
	}{
		"same":                  {func(*report.Report) {}, ""},
		"other account":         {func(r *report.Report) { r.Account = "999999999999" }, "was made for account 999999999999, and these credentials are for 123456789012; plan again, or use credentials of that account"},
		"other region":          {func(r *report.Report) { r.Region = "us-east-1" }, "was made for Region us-east-1, and this run is for eu-west-1; plan again, or give the Region of the plan"},
		"other configuration":   {func(r *report.Report) { r.Configuration = "sha256:x" }, "was made with another configuration; plan again"},
		"exactly the limit old": {func(r *report.Report) { r.Start = now.Add(-day) }, ""},
		"an hour ahead":         {func(r *report.Report) { r.Start = now.Add(time.Hour) }, ""},
		"further ahead":         {func(r *report.Report) { r.Start = now.Add(time.Hour + 2*time.Second) }, "was made at " + at(now.Add(time.Hour+2*time.Second)) + ", in the future; check the clock and plan again"},
		"years ahead":           {func(r *report.Report) { r.Start = now.AddDate(400, 0, 0) }, "was made at " + at(now.AddDate(400, 0, 0)) + ", in the future; check the clock and plan again"},
		"too old":               {func(r *report.Report) { r.Start = now.Add(-day - 2*time.Second) }, "was made at " + at(now.Add(-day-2*time.Second)) + ", more than 24h ago; plan again"},
		"without a start":       {func(r *report.Report) { r.Start = time.Time{} }, "was made at 0001-01-01T00:00:00Z, more than 24h ago; plan again"},
	} {
		saved := save(t, w, expireAll)
		test.change(saved)
		r := newRunner(t, w, expireAll)
		r.Saved, r.Remover = saved, remover{DescribeFunc: w.Remover().DescribeFunc, DeleteFunc: func(context.Context, string, []string) (apply.Deletion, error) {
			return apply.Deletion{Deleted: []string{"a"}}, nil
		}}
		_, err := r.Run(t.Context())
		refused, ok := errors.AsType[*report.PlanError](err)
		switch {
		case test.reason == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.reason != "" && (!ok || refused.Reason != test.reason || err.Error() != "saved plan "+test.reason):
			t.Errorf("%s: error %v, want %q", name, err, test.reason)
		}
	}
}

func TestReadSavedPlanRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                "is not a saved plan: unexpected end of JSON input; write one with plan --out",
		`[]`:                              "is not a saved plan: it cannot be a JSON array; write one with plan --out",
		`{}`:                              "is a report of version 0, not 1; plan again",
		`{"version": 2, "mode": "plan"}`:  "is a report of version 2, not 1; plan again",
		`{"version": 1}`:                  `is the report of mode "", not a plan; write one with plan --out`,
		`{"version": 1, "mode": "apply"}`: `is the report of mode "apply", not a plan; write one with plan --out`,
		`{"version": 1, "mode": "plan", "omitted": {"images": 1}}`: "was shortened and lacks images; write one with plan --out",
	} {
		if _, err := report.ReadPlan([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("ReadSavedPlan(%s): %v, want %q", text, err, want)
		}
	}
}

// A plan is the same after it is written to a file and read again.
func TestASavedPlanComesBackEqual(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(fixture.Restored(pulled(image("a", 9*day+time.Nanosecond, "v1"), 8*day), 7*day), image("b", 9*day))
	r := newRunner(t, w, expireAll)
	r.Remover = nil
	report := run(t, &r)
	awstest.Equal(t, "plan that was read", &report, save(t, w, expireAll))
}

// FuzzReadSavedPlan checks that a saved plan that was read is the same after it is written
// and read again.
func FuzzReadSavedPlan(f *testing.F) {
	f.Add([]byte(`{"version": 1, "mode": "plan"}`))
	f.Add([]byte(`{"version": 1, "mode": "plan", "start": "2026-03-01T12:00:00Z", "totals": {"expired": 1}, "repositories": [{"name": "app", "images": [
		{"imageDigest": "sha256:a", "imageTags": ["v1"], "verdict": "expire", "protectedBy": [{"kind": "child", "by": "b"}], "imagePushedAt": "2026-01-01T00:00:00.123Z"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		saved, err := report.ReadPlan(text)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := saved.WriteJSON(&again); err != nil {
			return // a time that has no text
		}
		read, err := report.ReadPlan(again.Bytes())
		if err != nil {
			t.Fatalf("%v in %s", err, &again)
		}
		if diff := cmp.Diff(saved, read, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read again (-first +then):\n%s\n%s", diff, &again)
		}
	})
}

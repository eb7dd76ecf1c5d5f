package cleaner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func TestRunNamedRemovesTheNamedImages(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour, "v1", "v2"), image("sha256:b", time.Hour), image("sha256:c", time.Hour, "v3"))
	r := newRunner(t, w, expireAll) // whose policy would keep all of them
	report := runNamed(t, &r, "v1", "sha256:a", "sha256:b")
	awstest.Equal(t, "left", []string{"sha256:c"}, w.Digests("app"))
	got := repositoryOf(t, &report, "app")
	if got.Expired != 2 || got.Deleted != 2 || got.Evaluated != 3 || got.Policy != "old" || report.Account != fixture.Account {
		t.Errorf("account %s, %+v", report.Account, got)
	}
	for _, im := range got.Images {
		if im.AppliedRulePriority != 0 || !strings.HasPrefix(im.Reason, "named by a person as ") {
			t.Errorf("%s: rule %d, reason %q", im.ImageDigest, im.AppliedRulePriority, im.Reason)
		}
	}
}

func TestRunNamedRemovesRelatedImages(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(index("i", time.Hour, "v1"), image("c", time.Hour), fixture.WithSubject(image("sig", time.Hour), "i"), fixture.WithSubject(image("orphan", time.Hour), "gone"))
	w.Children["i"] = []string{"c"}
	r := newRunner(t, w, expireAll)
	report := runNamed(t, &r, "v1", "orphan") // a named orphan is deleted, too
	want := map[string]plan.Outcome{"i": plan.Deleted, "c": plan.Deleted, "sig": plan.Deleted, "orphan": plan.Deleted}
	awstest.Equal(t, "outcomes", want, outcomes(t, &report))
}

func TestRunNamedShowsThePlanBeforeItRemoves(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", time.Hour, "v1", "v2"), image("b", time.Hour))
	r := newRunner(t, w, expireAll)
	refusal := errors.New("v2 is needed")
	var shown []string
	r.Approve = func(plan *plan.Plan) error {
		for i := range plan.Images {
			shown = append(shown, plan.Images[i].Tags...)
		}
		awstest.Equal(t, "images left when the plan is shown", 2, len(w.Digests("app")))
		return refusal
	}
	if _, err := r.RunNamed(t.Context(), "app", []string{"v1"}); !errors.Is(err, refusal) || len(w.Digests("app")) != 2 {
		t.Errorf("RunNamed: %v, left are %v", err, w.Digests("app"))
	}
	awstest.Equal(t, "shown tags", []string{"v1", "v2"}, shown)
	refusal = nil
	if runNamed(t, &r, "v1"); len(w.Digests("app")) != 1 {
		t.Errorf("left are %v", w.Digests("app"))
	}
}

func TestRunNamedKeepsProtectionLimitsAndReCheck(t *testing.T) {
	t.Parallel()
	entry := `{"policies": [{"name": "p", "policy": "none", "limits": {"maxDeletionsPerRepository": 2}, "protect": {"tagPatterns": ["keep"]}}], ` + unprotected + `}`
	w := newFakeRegistry(image("sha256:a", time.Hour, "keep"), image("sha256:b", time.Hour), image("sha256:c", time.Hour), image("sha256:d", time.Hour))
	r := newRunner(t, w, entry)
	if report := runNamed(t, &r, "keep", "sha256:b"); report.Totals.Protected != 1 || report.Totals.Deleted != 1 {
		t.Errorf("totals %+v, want 1 protected and 1 deleted", report.Totals)
	}
	r.Config = r.Config.Override(new(0), nil, nil)
	if report := runNamed(t, &r, "sha256:c"); report.Repositories[0].Skipped != plan.SkipLimit {
		t.Errorf("beyond the budget: %+v", report.Repositories[0])
	}
	r.Config = r.Config.Override(new(9), new(1), nil)
	if report := runNamed(t, &r, "sha256:c", "sha256:d"); report.Repositories[0].Skipped != plan.SkipLimit {
		t.Errorf("beyond the limit of the repository: %+v", report.Repositories[0])
	}
	remover := w.Remover()
	remover.DescribeFunc = func(context.Context, string, []string) ([]evaluator.Image, error) {
		return []evaluator.Image{image("sha256:c", time.Hour, "new")}, nil
	}
	r.Remover = remover
	if report := runNamed(t, &r, "sha256:c"); report.Totals.Changed != 1 {
		t.Errorf("after a change: totals %+v", report.Totals)
	}
}

// Without an entry the general settings protect.
func TestRunNamedInARepositoryWithoutEntry(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour, "keep"), image("sha256:b", time.Hour))
	r := newRunner(t, w, `{"policies": [], "protect": {"inUse": [], "tagPatterns": ["keep"], "keepNewest": 0, "pushedWithinHours": 0}, "limits": {"maxDeletions": 1}}`)
	report := runNamed(t, &r, "keep", "sha256:b")
	if report.Totals.Protected != 1 || report.Totals.Deleted != 1 || report.Repositories[0].Policy != "" {
		t.Errorf("totals %+v, policy %q", report.Totals, report.Repositories[0].Policy)
	}
	if report := runNamed(t, &r, "keep"); report.Totals.Protected != 1 || report.Totals.Deleted != 0 {
		t.Errorf("totals %+v", report.Totals)
	}
}

func TestRunNamedKeepsToTheShownPlan(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour, "v1"), image("sha256:b", time.Hour))
	r := newRunner(t, w, expireAll)
	r.Remover = nil
	shown := runNamed(t, &r, "v1")
	w.Images["app"][0].Tags, w.Images["app"][1].Tags = nil, []string{"v1"} // the tag moves
	r.Remover, r.Saved = w.Remover(), &shown
	report := runNamed(t, &r, "v1")
	awstest.Equal(t, "outcomes", map[string]plan.Outcome{"sha256:a": plan.Changed}, outcomes(t, &report))
}

// The beginning of a digest means the same image until the end of the run.
func TestRunNamedResolvesTheBeginningOfADigestOnce(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:abcd1", time.Hour, "v1"), image("sha256:ef", time.Hour))
	r := newRunner(t, w, expireAll)
	r.Approve = func(*plan.Plan) error {
		w.Add("app", append(w.Images["app"], image("sha256:abcd2", time.Hour))...)
		return nil
	}
	names := []string{"abcd"}
	report, err := r.RunNamed(t.Context(), "app", names)
	awstest.NoError(t, err)
	awstest.Equal(t, "names", []string{"sha256:abcd1"}, names)
	awstest.Equal(t, "outcomes", map[string]plan.Outcome{"sha256:abcd1": plan.Deleted}, outcomes(t, &report))
	awstest.Equal(t, "left", []string{"sha256:abcd2", "sha256:ef"}, w.Digests("app"))
	_, err = r.RunNamed(t.Context(), "app", []string{"sha512:abcd"})
	fixture.WantError(t, err, "repository app has no image with the digest or tag sha512:abcd; nothing was removed")
}

func TestRunNamedRefusesAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour))
	r := newRunner(t, w, expireAll)
	r.Account = "999999999999"
	_, err := r.RunNamed(t.Context(), "app", []string{"sha256:a"})
	fixture.WantError(t, err, "the image is in the registry of account 999999999999, and these credentials are for account "+fixture.Account)
}

func TestRunNamedErrors(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour)).Add("excluded", image("sha256:a", time.Hour))
	r := newRunner(t, w, `{"repositories": {"exclude": ["excluded"]}, `+expireAll[1:])
	for _, test := range []struct {
		repository string
		names      []string
		want       string
	}{
		{"app", []string{"sha256:a", "v9", "sha256:x"}, "repository app has no image with the digest or tag v9, sha256:x; nothing was removed"},
		{"excluded", []string{"sha256:a"}, "the configuration excludes repository excluded; change its repositories.include"},
		{"missing", []string{"sha256:a"}, "repository missing: repository not found; check the name and the region"},
	} {
		_, err := r.RunNamed(t.Context(), test.repository, test.names)
		fixture.WantError(t, err, test.want)
	}
	broken := errors.New("broken")
	reader := w.Reader()
	reader.ImagesFunc = func(context.Context, string) ([]evaluator.Image, error) { return nil, broken }
	r.Registry = reader
	if _, err := r.RunNamed(t.Context(), "app", []string{"sha256:a"}); !errors.Is(err, broken) {
		t.Errorf("with an unreadable repository: %v", err)
	}
	reader.RepositoriesFunc = func(context.Context) ([]plan.Repository, error) { return nil, broken }
	r.Registry = reader
	if _, err := r.RunNamed(t.Context(), "app", []string{"sha256:a"}); !errors.Is(err, broken) {
		t.Errorf("with an unreadable registry: %v", err)
	}
	if len(w.Calls) > 0 {
		t.Errorf("calls %v", w.Calls)
	}
}

package plan_test

import (
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// byTags has a policy for the repositories of stage dev outside base/, and the policy none
// for all others.
const byTags = `{"policies": [
	{"name": "base", "repositories": ["base/*"], "policy": "none"},
	{"name": "dev", "repositories": ["app", "team/*"], "repositoryTags": {"stage": "dev", "owner": "x"}, "policy": ` + expireOld + `},
	{"name": "rest", "policy": "none"}], ` + unprotected + `}`

func TestTagsOfARepositorySelectItsPolicy(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, byTags)
	for name, tags := range map[string]map[string]string{
		"app":       {"stage": "dev", "owner": "x", "more": ""},
		"base/app":  {"stage": "dev", "owner": "x"},
		"team/prod": {"stage": "prod", "owner": "x"},
		"team/none": nil,
		"unasked":   {"stage": "dev", "owner": "x"},
	} {
		registry.CreateRepository(name)
		registry.TagRepository(name, tags)
		registry.Put(name, fakeecr.Image{PushedAt: now.Add(-9 * day)})
	}
	report := run(t, &r)
	got := map[string]string{}
	for _, repository := range report.Repositories {
		got[repository.Name] = repository.Policy
	}
	want := map[string]string{"app": "dev", "base/app": "base", "team/prod": "rest", "team/none": "rest", "unasked": "rest"}
	awstest.Equal(t, "policies", want, got)
	if report.Totals.Deleted != 1 || len(fixture.Stored(registry)) != 0 {
		t.Errorf("totals %+v", report.Totals)
	}
	// the tags of the repositories whose name does not decide
	awstest.Equal(t, "reads of tags", 3, registry.Calls()["ListTagsForResource"])
}

func TestTagsAreNotReadWhenNoEntryHasAny(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, expireAll)
	registry.Fail("ListTagsForResource", "", "AccessDeniedException")
	if report := run(t, &r); !report.Handled() || registry.Calls()["ListTagsForResource"] != 0 {
		t.Errorf("calls %v", registry.Calls())
	}
}

func TestARepositoryWithUnreadableTagsIsSkipped(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, byTags)
	registry.CreateRepository("team/a")
	registry.CreateRepository("team/gone")
	for _, name := range []string{"app", "team/a"} {
		registry.TagRepository(name, map[string]string{"stage": "dev", "owner": "x"})
		registry.Put(name, fakeecr.Image{PushedAt: now.Add(-9 * day)})
	}
	registry.Fail("ListTagsForResource", "team/a", "AccessDeniedException")
	registry.Fail("ListTagsForResource", "team/gone", "RepositoryNotFoundException")
	report := run(t, &r)
	want := map[string]plan.SkipCode{"team/a": plan.SkipFailed, "team/gone": plan.SkipGone}
	awstest.Equal(t, "skips", want, skips(&report))
	failed := fixture.RepositoryOf(t, &report, "team/a")
	wantPrefix(t, failed.Message, "list tags of team/a: ")
	if report.Handled() || report.Totals.Deleted != 1 || len(registry.Images("team/a")) != 1 {
		t.Errorf("totals %+v", report.Totals)
	}
}

// If the registry cannot read tags, the planner must not use another entry.
func TestWithoutTagsToReadNothingIsRemoved(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day))
	r := newRunner(t, w, byTags)
	report := run(t, &r)
	if got := report.Repositories[0]; got.Skipped != plan.SkipFailed || len(w.Calls) > 0 {
		t.Errorf("skipped %q: %s", got.Skipped, got.Message)
	}
}

// Explain and RunNamed use the same entry.
func TestTagsSelectForOneRepositoryToo(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, `{"policies": [
		{"name": "prod", "repositoryTags": {"stage": "prod"}, "policy": "none", "protect": {"tagPatterns": ["v*"]}},
		{"name": "rest", "policy": `+expireOld+`}], `+unprotected+`}`)
	registry.TagRepository("app", map[string]string{"stage": "prod"})
	digest := fixture.Push(registry, 9*day, fakeecr.Image{Tags: []string{"v1"}})
	e, err := r.Explain(t.Context(), "app", "v1")
	if err != nil || e.Entry.Name != "prod" || len(e.ProtectedBy) != 1 || e.Verdict.Action == evaluator.Expire {
		t.Errorf("Explain = %+v, %v", e, err)
	}
	report, err := r.RunNamed(t.Context(), "app", []string{"v1"})
	if err != nil || fixture.Outcomes(t, &report)[digest] != "" || len(fixture.Stored(registry)) != 1 {
		t.Errorf("RunNamed: %+v, %v", report.Totals, err)
	}
	registry.Fail("ListTagsForResource", "app", "AccessDeniedException")
	if _, err := r.Explain(t.Context(), "app", "v1"); err == nil {
		t.Error("Explain does not fail without tags")
	}
	if _, err := r.RunNamed(t.Context(), "app", []string{"v1"}); err == nil {
		t.Error("RunNamed does not fail without tags")
	}
	if _, err := r.Explain(t.Context(), "none", "v1"); err == nil {
		t.Error("a repository that is not there is no error")
	}
}

// If a tag moves while the pages are listed, two listed images have it.
func TestEveryImageWithATagInUseIsKept(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"), image("sha256:b", 8*day, "v1", "v2"), image("sha256:c", 7*day, "v1"), image("sha256:d", 9*day, "v3"))
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{Uses: []inuse.Use{use("v1", "task")}})
	report := run(t, &r)
	want := map[string]string{"sha256:a": "[inUse task]", "sha256:b": "[inUse task]", "sha256:c": "[inUse task]", "sha256:d": "[]"}
	awstest.Equal(t, "protections", want, protectedBy(&report))
}

// A tag that several listed images have does not name one of them.
func TestATagOfSeveralImagesNamesNone(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour, "v1"), image("sha256:b", time.Hour, "v1"), image("sha256:c", time.Hour, "v2"))
	const want = "the tag v1 is on 2 of the listed images, because it moved while they were listed; run again"
	runner := func() *cleaner.Runner { // each run needs a new scan
		r := newRunner(t, w, scanned)
		scans(&r, inuse.Scan{})
		return &r
	}
	_, err := runner().RunNamed(t.Context(), "app", []string{"v2", "v1"})
	wantError(t, err, want)
	_, err = runner().Explain(t.Context(), "app", "v1")
	wantError(t, err, want)
	awstest.Equal(t, "left", []string{"sha256:a", "sha256:b", "sha256:c"}, w.Digests("app"))
	if e, err := runner().Explain(t.Context(), "app", "sha256:a"); err != nil || e.Image.Digest != "sha256:a" {
		t.Errorf("by digest: %v, %v", e.Image.Digest, err)
	}
}

// If the digest of a reference is not listed, its tag decides.
func TestADigestThatIsNotListedFallsBackToItsTag(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"), image("sha256:b", 8*day, "v1"), image("sha256:c", 7*day, "v2"))
	r := newRunner(t, w, scanned)
	lost := use("sha256:lost", "task")
	lost.Reference.Tag = "v1"
	scans(&r, inuse.Scan{Uses: []inuse.Use{lost, use("sha256:gone", "service")}})
	report := run(t, &r)
	want := map[string]string{"sha256:a": "[inUse task]", "sha256:b": "[inUse task]", "sha256:c": "[]"}
	awstest.Equal(t, "protections", want, protectedBy(&report))
	const app = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"
	var got []string
	for _, f := range report.Findings {
		got = append(got, string(f.Kind)+": "+f.Message)
	}
	findings := []string{
		"unlistedReference: task refers to " + app + ":v1@sha256:lost, which is not in the repository; the images with the tag v1 are kept instead",
		"unlistedReference: service refers to " + app + "@sha256:gone, which is not in the repository",
	}
	awstest.Equal(t, "findings", findings, got)
}

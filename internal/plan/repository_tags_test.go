package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
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
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policies mismatch (-want +got):\n%s", diff)
	}
	if report.Totals.Deleted != 1 || len(stored(registry)) != 0 {
		t.Errorf("totals %+v", report.Totals)
	}
	if n := registry.Calls()["ListTagsForResource"]; n != 3 {
		t.Errorf("the tags of %d repositories were read, want those of the 3 whose name does not decide", n)
	}
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
	if diff := cmp.Diff(want, skips(&report)); diff != "" {
		t.Errorf("skips mismatch (-want +got):\n%s", diff)
	}
	failed := repositoryOf(t, &report, "team/a")
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
	digest := push(registry, 9*day, fakeecr.Image{Tags: []string{"v1"}})
	e, err := r.Explain(t.Context(), "app", "v1")
	if err != nil || e.Entry.Name != "prod" || len(e.ProtectedBy) != 1 || e.Verdict.Action == evaluator.Expire {
		t.Errorf("Explain = %+v, %v", e, err)
	}
	report, err := r.RunNamed(t.Context(), "app", []string{"v1"})
	if err != nil || outcomes(t, &report)[digest] != "" || len(stored(registry)) != 1 {
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

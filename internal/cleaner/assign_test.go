package cleaner_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

func TestAssignNamesThePolicyOfEveryRepository(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, `{"repositories": {"exclude": ["excluded"]}, "policies": [
		{"name": "dev", "repositoryTags": {"stage": "dev"}, "policy": `+expireOld+`},
		{"name": "attached", "repositories": ["app", "broken", "with", "without", "denied"]},
		{"name": "frozen", "repositories": ["frozen"], "policy": "none"}]}`)
	for _, name := range []string{"broken", "denied", "dev", "excluded", "frozen", "other", "unknown", "with", "without"} {
		registry.CreateRepository(name)
	}
	registry.TagRepository("dev", map[string]string{"stage": "dev"})
	registry.SetLifecyclePolicy("with", expireOld)
	registry.SetLifecyclePolicy("broken", `{"rules": []}`)
	registry.Fail("GetLifecyclePolicy", "denied", "AccessDeniedException")
	registry.Fail("ListTagsForResource", "unknown", "AccessDeniedException")
	registry.Fail("ListTagsForResource", "app", "RepositoryNotFoundException")
	assignments, err := r.Assign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range assignments {
		entry, skip := "-", "-"
		if a.Entry != nil {
			entry = a.Entry.Name
		}
		if a.Skip != nil {
			skip = string(a.Skip.Code)
		}
		got = append(got, fmt.Sprintf("%s: %s, %d rules, %s, %t", a.Repository, entry, len(a.Policy.Rules), skip, a.Failed()))
	}
	want := []string{
		"app: -, 0 rules, gone, false",
		"broken: attached, 0 rules, invalid policy, true",
		"denied: attached, 0 rules, failed, true",
		"dev: dev, 1 rules, -, false",
		"excluded: -, 0 rules, not configured, false",
		"frozen: frozen, 0 rules, policy none, false",
		"other: -, 0 rules, not configured, false",
		"unknown: -, 0 rules, failed, true",
		"with: attached, 1 rules, -, false",
		"without: attached, 0 rules, no policy, false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("assignments mismatch (-want +got):\n%s", diff)
	}
	if calls := registry.Calls(); calls["DescribeImages"] > 0 || calls["GetLifecyclePolicy"] != 4 || calls["ListTagsForResource"] != 9 {
		t.Errorf("calls %v", calls)
	}
}

func TestAssignIsNarrowedByTheRequest(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, `{"repositories": {"include": ["app"]}}`)
	registry.CreateRepository("base")
	registry.Put("app", fakeecr.Image{PushedAt: now})
	for pattern, want := range map[string]int{"*": 2, "a*": 1, "base": 1} {
		r.Config.Repositories.Requested = []wildcard.Pattern{wildcard.Compile(pattern)}
		if got, err := r.Assign(t.Context()); err != nil || len(got) != want {
			t.Errorf("%s: %d assignments, %v", pattern, len(got), err)
		}
	}
	r.Config.Repositories.Requested = []wildcard.Pattern{wildcard.Compile("a*"), wildcard.Compile("none")}
	if _, err := r.Assign(t.Context()); !isSelectionError(err) {
		t.Errorf("a pattern that matches nothing: %v", err)
	}
	registry.Fail("DescribeRepositories", "", "AccessDeniedException")
	if _, err := r.Assign(t.Context()); err == nil {
		t.Error("a registry that cannot be listed is no error")
	}
}

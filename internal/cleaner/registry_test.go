package cleaner_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// The tests in this file run on a registry that is as strict as ECR.

func TestASecondRunFindsNothingMoreToDelete(t *testing.T) {
	t.Parallel()
	for _, excluded := range []bool{true, false} {
		registry, r := newRegistry(t, expireAll)
		registry.ExcludePulls(excluded)
		r.OwnPulls = func(context.Context) plan.OwnPulls { return plan.OwnPulls{Excluded: excluded} }
		for i := range 130 {
			push(registry, 9*day, fakeecr.Image{Tags: []string{fmt.Sprint("v", i)}})
		}
		a, b := push(registry, 9*day, fakeecr.Image{}), push(registry, 9*day, fakeecr.Image{})
		inner := push(registry, 9*day, fakeecr.Image{Children: []string{a, b}})
		push(registry, 9*day, fakeecr.Image{Children: []string{inner, b}, Tags: []string{"index"}})
		push(registry, 9*day, fakeecr.Image{SubjectDigest: a})
		kept := push(registry, time.Hour, fakeecr.Image{Tags: []string{"young"}})
		first := run(t, &r)
		if first.Totals.Deleted != 135 || !first.Handled() {
			t.Errorf("excluded %t: the first run has the totals %+v", excluded, first.Totals)
		}
		awstest.Equal(t, fmt.Sprintf("excluded %t: left", excluded), []string{kept}, fixture.Stored(registry))
		registry.ResetCalls()
		second := run(t, &r)
		if second.Totals.Deleted != 0 || second.Totals.Expired != 0 || registry.Calls()["BatchDeleteImage"] != 0 {
			t.Errorf("excluded %t: the second run has the totals %+v", excluded, second.Totals)
		}
	}
}

func TestARunMakesNoMoreCallsThanNeeded(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, `{}`)
	for i := range 1500 {
		age := time.Hour
		if i < 250 {
			age = 9 * day
		}
		push(registry, age, fakeecr.Image{})
	}
	registry.SetLifecyclePolicy("app", expireOld)
	registry.CreateRepository("without")
	r.Config = fixture.Configure(t, `{"protect": {"inUse": [], "keepNewest": 0}}`)
	if report := run(t, &r); report.Totals.Deleted != 250 {
		t.Fatalf("totals %+v", report.Totals)
	}
	want := map[string]int{"DescribeRepositories": 1, "GetLifecyclePolicy": 2, "DescribeImages": 2 + 3, "BatchDeleteImage": 3}
	awstest.Equal(t, "calls", want, registry.Calls())
}

func TestAPlanChangesNothingInTheRegistry(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, expireAll)
	registry.ExcludePulls(true)
	child := push(registry, 9*day, fakeecr.Image{})
	push(registry, 9*day, fakeecr.Image{Children: []string{child}})
	before := registry.Images("app")
	r.Remover = nil
	if report := run(t, &r); report.Totals.Expired != 2 {
		t.Errorf("totals %+v", report.Totals)
	}
	awstest.Equal(t, "images after the run", before, registry.Images("app"))
	if calls := registry.Calls(); calls["BatchDeleteImage"]+calls["UpdateImageStorageClass"] > 0 {
		t.Errorf("calls %v", calls)
	}
}

// The run keeps images that people pull, tag or delete between the plan and the removal.
func TestARunKeepsImagesThatChangeDuringIt(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, expireAll)
	tagged, pulled, removed, still := push(registry, 9*day, fakeecr.Image{}), push(registry, 9*day, fakeecr.Image{}),
		push(registry, 9*day, fakeecr.Image{}), push(registry, 9*day, fakeecr.Image{})
	describes := 0
	registry.Before("DescribeImages", func() {
		if describes++; describes != 2 { // the first one lists
			return
		}
		registry.Tag("app", tagged, "release")
		im := registry.Images("app")[slices.Index(fixture.Stored(registry), pulled)]
		im.LastRecordedPullTime = now
		registry.Put("app", im)
		registry.Remove("app", removed)
	})
	report := run(t, &r)
	want := map[string]plan.Outcome{tagged: plan.Changed, pulled: plan.Changed, removed: plan.Gone, still: plan.Deleted}
	awstest.Equal(t, "outcomes", want, outcomes(t, &report))
}

func TestASecondRunKeepsArchivedImages(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, `{"policies": [{"policy": `+archiveOld+`}], `+unprotected+`}`)
	registry.ExcludePulls(true)
	child := push(registry, 9*day, fakeecr.Image{})
	push(registry, 9*day, fakeecr.Image{Children: []string{child}})
	push(registry, 9*day, fakeecr.Image{})
	if report := run(t, &r); report.Totals.Archived != 3 || !report.Handled() {
		t.Errorf("totals %+v", report.Totals)
	}
	for _, im := range registry.Images("app") {
		awstest.Equal(t, im.Digest, "ARCHIVED", im.Status)
	}
	if report := run(t, &r); report.Totals.Transitioned != 0 {
		t.Errorf("the second run has the totals %+v", report.Totals)
	}
}

// An index may be empty, or list images that the registry does not have. The run deletes
// it although it has read its manifest.
func TestAnIndexWithoutListedChildrenIsDeleted(t *testing.T) {
	t.Parallel()
	for name, im := range map[string]fakeecr.Image{
		"empty":           {Manifest: `{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}`},
		"children absent": {Children: []string{"sha256:" + fmt.Sprintf("%064d", 1)}},
	} {
		registry, r := newRegistry(t, expireAll)
		r.OwnPulls = nil
		push(registry, 9*day, im)
		if report := run(t, &r); report.Totals.Deleted != 1 {
			t.Errorf("%s: totals %+v, message %q", name, report.Totals, report.Repositories[0].Images[0].Message)
		}
	}
}

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
	assignments, _, err := r.Assign(t.Context())
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
	awstest.Equal(t, "assignments", want, got)
	if calls := registry.Calls(); calls["DescribeImages"] > 0 || calls["GetLifecyclePolicy"] != 4 || calls["ListTagsForResource"] != 9 {
		t.Errorf("calls %v", calls)
	}
	registry.SetLifecyclePolicy("dev", expireOld)
	registry.SetLifecyclePolicy("excluded", expireOld)
	registry.Fail("GetLifecyclePolicy", "other", "AccessDeniedException")
	r.ReadAttached(t.Context(), assignments)
	attached := map[string]bool{"broken": true, "dev": true, "excluded": true, "with": true}
	unknown := map[string]bool{"denied": true, "other": true}
	for _, a := range assignments {
		if a.Attached != attached[a.Repository] || (a.AttachedErr != nil) != unknown[a.Repository] {
			t.Errorf("%s: attached %t, %v", a.Repository, a.Attached, a.AttachedErr)
		}
	}
}

func TestAssignIsNarrowedByTheRequest(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, `{"repositories": {"include": ["app"]}}`)
	registry.CreateRepository("base")
	registry.Put("app", fakeecr.Image{PushedAt: now})
	for pattern, want := range map[string]int{"*": 2, "a*": 1, "base": 1} {
		r.Config.Repositories.Requested = []wildcard.Pattern{wildcard.Compile(pattern)}
		if got, _, err := r.Assign(t.Context()); err != nil || len(got) != want {
			t.Errorf("%s: %d assignments, %v", pattern, len(got), err)
		}
	}
	r.Config.Repositories.Requested = []wildcard.Pattern{wildcard.Compile("a*"), wildcard.Compile("none")}
	if _, _, err := r.Assign(t.Context()); !isSelectionError(err) {
		t.Errorf("a pattern that matches nothing: %v", err)
	}
	registry.Fail("DescribeRepositories", "", "AccessDeniedException")
	if _, _, err := r.Assign(t.Context()); err == nil {
		t.Error("a registry that cannot be listed is no error")
	}
}

package cleaner_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
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
		if got := stored(registry); !slices.Equal(got, []string{kept}) {
			t.Errorf("excluded %t: left are %v, want %s", excluded, got, kept)
		}
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
	r.Config = configure(t, `{"protect": {"inUse": [], "keepNewest": 0}}`)
	if report := run(t, &r); report.Totals.Deleted != 250 {
		t.Fatalf("totals %+v", report.Totals)
	}
	want := map[string]int{"DescribeRepositories": 1, "GetLifecyclePolicy": 2, "DescribeImages": 2 + 3, "BatchDeleteImage": 3}
	if diff := cmp.Diff(want, registry.Calls()); diff != "" {
		t.Errorf("calls mismatch (-want +got):\n%s", diff)
	}
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
	if diff := cmp.Diff(before, registry.Images("app")); diff != "" {
		t.Errorf("images mismatch (-before +after):\n%s", diff)
	}
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
		im := registry.Images("app")[slices.Index(stored(registry), pulled)]
		im.LastRecordedPullTime = now
		registry.Put("app", im)
		registry.Remove("app", removed)
	})
	report := run(t, &r)
	want := map[string]plan.Outcome{tagged: plan.Changed, pulled: plan.Changed, removed: plan.Gone, still: plan.Deleted}
	if diff := cmp.Diff(want, outcomes(t, &report)); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
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
		if im.Status != "ARCHIVED" {
			t.Errorf("%s is %s", im.Digest, im.Status)
		}
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

package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// mixed returns n images. The policies of these tests expire the first of them, as many as expired.
func mixed(expired, n int) []evaluator.Image {
	images := fixture.Numbered(n, time.Hour)
	for i := range expired {
		images[i].PushedAt = evaluator.At(now.Add(-9 * day))
	}
	return images
}

func TestLimitsOfARepository(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limits     string
		expired, n int
		message    string // "" when the plan is within the limits
	}{
		{`"maxDeletionsPerRepository": 3`, 3, 10, ""},
		{`"maxDeletionsPerRepository": 3`, 4, 10, "4 of 10 images would be removed, maxDeletionsPerRepository is 3"},
		{`"maxDeletionsPerRepository": 0`, 0, 10, ""},
		{`"maxDeletionsPerRepository": 0`, 1, 10, "1 of 10 images would be removed, maxDeletionsPerRepository is 0"},
		{`"maxDeletedPercent": 30`, 3, 10, ""},
		{`"maxDeletedPercent": 30`, 4, 10, "4 of 10 images would be removed, maxDeletedPercent is 30"},
		{`"maxDeletedPercent": 33`, 1, 3, "1 of 3 images would be removed, maxDeletedPercent is 33"},
		{`"maxDeletedPercent": 34`, 1, 3, ""},
		{`"maxDeletedPercent": 100`, 10, 10, ""},
		{`"maxDeletedPercent": 0`, 0, 10, ""},
		{`"maxDeletedPercent": 0`, 1, 1000, "1 of 1000 images would be removed, maxDeletedPercent is 0"},
	} {
		w := newFakeRegistry(mixed(test.expired, test.n)...)
		r := newRunner(t, w, limited(test.limits))
		report := run(t, &r)
		got := report.Repositories[0]
		if got.Message != test.message || (got.Skipped == plan.SkipLimit) != (test.message != "") {
			t.Errorf("%s with %d of %d: skipped %q, message %q, want %q", test.limits, test.expired, test.n, got.Skipped, got.Message, test.message)
		}
		deleted := test.expired
		if test.message != "" {
			deleted = 0 // the repository is skipped
		}
		if got.Expired != test.expired || got.Deleted != deleted || len(w.Images["app"]) != test.n-deleted {
			t.Errorf("%s with %d of %d: %d expired, %d deleted", test.limits, test.expired, test.n, got.Expired, got.Deleted)
		}
	}
}

func TestProtectedImagesDoNotCountInLimits(t *testing.T) {
	t.Parallel()
	images := mixed(4, 10)
	images[0].Tags, images[1].Tags = []string{"v1"}, []string{"v2"}
	w := newFakeRegistry(images...)
	r := newRunner(t, w, `{"policies": [{"policy": `+expireOld+`}], "limits": {"maxDeletionsPerRepository": 2, "maxDeletedPercent": 20, "maxDeletions": 2},
		"protect": {"inUse": [], "tagPatterns": ["v*"], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`)
	report := run(t, &r)
	if got := report.Repositories[0]; got.Skipped != "" || got.Expired != 2 || got.Protected != 2 || got.Deleted != 2 {
		t.Errorf("%+v, want 2 expired and deleted, 2 protected", got)
	}
}

// The run's limit is a budget. Repositories get their part in the order of the listing. A
// repository that needs more than the rest is skipped, and a later one may need less.
func TestTheBudgetOfTheRunIsGrantedInTheOrderOfTheListing(t *testing.T) {
	t.Parallel()
	for workers := 1; workers <= 8; workers++ {
		w := newFakeRegistry(mixed(4, 9)...).Add("b", mixed(5, 9)...).Add("c", mixed(0, 9)...).Add("d", mixed(2, 9)...).Add("e", mixed(1, 9)...)
		r := newRunner(t, w, limited(`"maxDeletions": 6`))
		r.Workers = workers
		r.Registry = fixture.Slowest(w.Reader(), "app") // its plan is ready last
		report := run(t, &r)
		want := map[string]plan.SkipCode{"b": plan.SkipLimit, "e": plan.SkipLimit}
		awstest.Equal(t, fmt.Sprintf("%d workers: skipped", workers), want, skips(&report))
		message := fixture.RepositoryOf(t, &report, "b").Message
		awstest.Equal(t, "message", "5 images would be removed, and the run's maxDeletions allows 2 more", message)
		if report.Totals.Deleted != 6 || report.Handled() || report.Incomplete {
			t.Errorf("%d workers: totals %+v, handled %t", workers, report.Totals, report.Handled())
		}
	}
}

func TestAnEntryMayHaveItsOwnBudget(t *testing.T) {
	t.Parallel()
	const two = `{"policies": [
		{"name": "own", "repositories": ["own/*"], "policy": ` + expireOld + `, "limits": {"maxDeletions": 3}},
		{"name": "rest", "policy": ` + expireOld + `}], ` + unprotected + `, "limits": {"maxDeletions": 4}}`
	make := func() *fixture.FakeRegistry {
		return newFakeRegistry(mixed(4, 9)...).Add("own/a", mixed(3, 9)...).Add("own/b", mixed(1, 9)...).Add("z", mixed(1, 9)...)
	}
	for name, test := range map[string]struct {
		request config.Request
		want    map[string]plan.SkipCode
	}{
		"as configured":           {config.Request{}, map[string]plan.SkipCode{"own/b": plan.SkipLimit, "z": plan.SkipLimit}},
		"with a cap of the run":   {config.Request{MaxDeletions: new(5)}, map[string]plan.SkipCode{"own/a": plan.SkipLimit, "z": plan.SkipLimit}},
		"with a cap beyond that":  {config.Request{MaxDeletions: new(100)}, map[string]plan.SkipCode{"own/b": plan.SkipLimit, "z": plan.SkipLimit}},
		"with a cap of 0":         {config.Request{MaxDeletions: new(0)}, map[string]plan.SkipCode{"app": plan.SkipLimit, "own/a": plan.SkipLimit, "own/b": plan.SkipLimit, "z": plan.SkipLimit}},
		"with smaller repository": {config.Request{MaxDeletionsPerRepository: new(1)}, map[string]plan.SkipCode{"app": plan.SkipLimit, "own/a": plan.SkipLimit}},
	} {
		r := newRunner(t, make(), two)
		narrowed, err := r.Config.Narrow(test.request)
		if err != nil {
			t.Fatal(err)
		}
		r.Config = narrowed
		report := run(t, &r)
		awstest.Equal(t, name+": skipped", test.want, skips(&report))
	}
}

func TestTypedLimitsOverrideThoseOfTheConfiguration(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(mixed(4, 4)...)
	r := newRunner(t, w, limited(`"maxDeletions": 1, "maxDeletionsPerRepository": 1, "maxDeletedPercent": 1`))
	r.Config = r.Config.Override(new(4), new(4), new(100))
	if report := run(t, &r); report.Totals.Deleted != 4 {
		t.Errorf("totals %+v, want 4 deleted", report.Totals)
	}
}

// A plan that exceeds a limit still shows the images that would be removed.
func TestAPlanShowsWhatLimitsSkip(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(mixed(4, 4)...), limited(`"maxDeletions": 1`))
	r.Remover = nil
	report := run(t, &r)
	got := report.Repositories[0]
	if got.Skipped != plan.SkipLimit || got.Expired != 4 || len(got.Images) != 4 {
		t.Errorf("%+v, want the limit and 4 images", got)
	}
	if images, bytes := report.Removals(); images != 0 || bytes != 0 {
		t.Errorf("Removals() = %d, %d; a limit skips them", images, bytes)
	}
	awstest.Equal(t, "mode", config.Plan, report.Mode)
}

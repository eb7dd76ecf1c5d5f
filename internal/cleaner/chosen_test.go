package cleaner_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// filtered chooses by a filter and keeps the newest of what it selects.
func filtered(filter selection.Filter, keepNewest int) selection.Choice {
	choose := func(l *selection.Listing, now time.Time, _ bool) ([]selection.Chosen, error) {
		return filter.Select(l.Images, now, "why").Chosen, nil
	}
	return selection.Choice{Choose: choose, KeepNewest: keepNewest}
}

func runChosen(t *testing.T, r *cleaner.Runner, choice selection.Choice) report.Report {
	t.Helper()
	report, err := r.RunChosen(t.Context(), "app", choice)
	awstest.NoError(t, err)
	return report
}

// Of images pushed at the same time those with the greatest digests are the newest, as for
// the rule imageCountMoreThan.
func TestKeepNewestKeepsWhatAPolicyKeeps(t *testing.T) {
	t.Parallel()
	const text = `{"policies": [{"name": "p", "policy": {"rules": [{"rulePriority": 1, "action": {"type": "expire"},
		"selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": %d}}]}}], ` + unprotected + `}`
	for n := 1; n <= 9; n += 2 {
		w := newFakeRegistry(append(numbered(4, 3*day), image("sha256:9", 2*day), image("sha256:2", 4*day), image("sha256:8", 3*day, "v1"))...)
		r := newRunner(t, w, fmt.Sprintf(text, n))
		r.Remover = nil
		want, got := run(t, &r), runChosen(t, &r, filtered(selection.Filter{}, n))
		awstest.Equal(t, fmt.Sprintf("images beyond %d", n), outcomes(t, &want), outcomes(t, &got))
	}
}

func TestKeepNewestCountsNeitherChildrenNorReferrers(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(
		index("old", 9*day, "v1"), image("old-child", 9*day), index("new", 5*day, "v2"), image("child", 5*day),
		fixture.WithSubject(image("sig", 4*day), "new"), image("single", 7*day))
	w.Children = map[string][]string{"old": {"old-child"}, "new": {"child"}}
	r := newRunner(t, w, `{"policies": [], `+unprotected+`}`)
	got := runChosen(t, &r, filtered(selection.Filter{}, 2))
	awstest.Equal(t, "left", []string{"child", "new", "sig", "single"}, w.Digests("app"))
	awstest.Equal(t, "deleted", 2, got.Totals.Deleted)
}

// To know the newest images, the run reads the indexes, even if it then keeps all images.
func TestKeepNewestReportsIndexesThatItCannotRead(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(index("unread", 9*day, "v1"), image("a", 9*day, "v2")), `{"policies": [], `+unprotected+`}`)
	got := runChosen(t, &r, filtered(selection.Filter{}, 2))
	if len(got.Findings) != 1 || got.Findings[0].Kind != finding.ManifestUnreadable || !got.Incomplete {
		t.Errorf("findings %+v, incomplete %t", got.Findings, got.Incomplete)
	}
}

// planningAgain makes the plan too old before its first removing call, and then calls change.
func planningAgain(r *cleaner.Runner, w *fakeRegistry, change func()) {
	scans(r, inuse.Scan{})
	clock := now
	r.Clock = func() time.Time { return clock }
	r.Remover = w.Remover().BeforeDescribe(func(string) {
		if clock.Equal(now) {
			clock = clock.Add(usage.MaxScanAge + time.Second)
			change()
		}
	})
}

// A new plan during the run selects more images. Only those of the first selection are deleted.
func TestANewPlanDeletesOnlyImagesOfTheFirstSelection(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day, "pr-1"), image("b", 9*day, "pr-2"), image("c", 9*day, "pr-3"))
	r := newRunner(t, w, scanned)
	planningAgain(&r, w, func() {
		w.Add("app", append(w.Images["app"], image("d", 9*day, "pr-4"), image("e", 9*day))...)
	})
	runChosen(t, &r, filtered(selection.Filter{OlderThan: day}, 1))
	awstest.Equal(t, "left", []string{"c", "d", "e"}, w.Digests("app"))
}

// Before the new plan, a named tag has become the last one, and another has moved.
func TestANewPlanRemovesNoLastTag(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day, "v1", "prod"), image("b", 9*day, "v2", "beta"), image("c", 9*day, "v3", "x"))
	r := newRunner(t, w, scanned)
	planningAgain(&r, w, func() {
		w.Set("a", func(im *evaluator.Image) { im.Tags = []string{"v1"} })
		w.Set("b", func(im *evaluator.Image) { im.Tags = []string{"beta"} })
		w.Set("c", func(im *evaluator.Image) { im.Tags = []string{"v2", "v3", "x"} })
	})
	report := runChosen(t, &r, selection.Named([]string{"v1", "v2", "v3"}, true))
	awstest.Equal(t, "outcomes", map[string]plan.Outcome{"a": plan.Changed, "b": plan.Changed, "c": plan.Changed}, outcomes(t, &report))
}

// Orphans follow the configuration if a filter selects them, and are deleted if named.
func TestFiltersKeepOrphans(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", day, "v1"), fixture.WithSubject(image("orphan", 9*day), "gone"))
	r := newRunner(t, w, `{"policies": [], `+unprotected+`}`)
	got := runChosen(t, &r, filtered(selection.Filter{Untagged: true}, 0))
	awstest.Equal(t, "protected", map[string]string{"orphan": "[orphan gone]"}, fixture.ProtectedBy(&got))
	r.Config = r.Config.Unprotect([]string{string(plan.ByOrphan)})
	got = runChosen(t, &r, filtered(selection.Filter{Untagged: true}, 0))
	awstest.Equal(t, "outcomes", map[string]plan.Outcome{"orphan": plan.Deleted}, outcomes(t, &got))
}

// One plan for some images has the verdicts of the whole plan.
func TestPlanImagesHasTheVerdictsOfTheWholePlan(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(append(numbered(6, 40*day), image("sha256:k", 40*day, "keep"), image("sha256:n", day, "v1"))...).
		Add("other", image("sha256:o", 40*day))
	r := newRunner(t, w, withPolicy(expireOld, ""))
	r.Remover = nil
	whole := run(t, &r)
	want := map[string]report.Image{}
	for _, repository := range whole.Repositories {
		for _, im := range repository.Images {
			want[repository.Name+im.ImageDigest] = im
		}
	}
	names := []cleaner.Names{
		{Repository: "app", Images: []string{"v1", "keep", "sha256:0003", "sha256:0003"}},
		{Repository: "other", Images: []string{"sha256:o"}},
	}
	part, explained, err := r.PlanImages(t.Context(), names)
	awstest.NoError(t, err)
	acts := func(e plan.Explanation) bool { return e.Planned != nil }
	awstest.Equal(t, "explained", 5, len(explained))
	awstest.Equal(t, "only one is kept", 1, len(slices.DeleteFunc(explained, acts)))
	found := 0
	for _, repository := range part.Repositories {
		for _, im := range repository.Images {
			found++
			awstest.Equal(t, im.ImageDigest, want[repository.Name+im.ImageDigest], im)
			delete(want, repository.Name+im.ImageDigest)
		}
	}
	awstest.Equal(t, "images", 3, found)
	awstest.Equal(t, "totals", [2]int{whole.Totals.Evaluated, 3}, [2]int{part.Totals.Evaluated, part.Totals.Expired})

	r.Config = r.Config.Override(new(2), nil, nil)
	limited, explained, err := r.PlanImages(t.Context(), names[:1])
	awstest.NoError(t, err)
	if skips(&limited)["app"] != plan.SkipLimit || explained[0].Skip == nil {
		t.Errorf("a limit of the whole repository: %+v", limited.Repositories)
	}
}

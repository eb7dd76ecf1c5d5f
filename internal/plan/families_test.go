package plan_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// families returns the configuration Scanned with these settings of protect.ecs.
func families(settings string) string {
	return strings.Replace(scanned, `"protect": {`, `"protect": {"ecs": {`+settings+`}, `, 1)
}

// idleUse is a use by a family that nothing names and that was active so long ago.
func idleUse(name string, ago time.Duration) inuse.Use {
	u := use(name, "task-definition/pr:1")
	u.Family, u.Revision, u.LastActivity = "pr", 1, now.Add(-ago)
	return u
}

func TestFamiliesWithoutActivityProtectNothing(t *testing.T) {
	t.Parallel()
	const users = "[inUse task-definition/pr:1]"
	unknown, firm := idleUse("v1", 0), idleUse("v1", 99*day)
	unknown.LastActivity, firm.Family = time.Time{}, ""
	for name, c := range map[string]struct {
		settings string
		uses     []inuse.Use
		want     string
	}{
		"never by default":         {``, []inuse.Use{idleUse("v1", 999*day)}, users},
		"long ago":                 {`"familyDays": 30`, []inuse.Use{idleUse("v1", 30*day+time.Second)}, "[]"},
		"just within":              {`"familyDays": 30`, []inuse.Use{idleUse("v1", 30*day)}, users},
		"without a known activity": {`"familyDays": 30`, []inuse.Use{unknown}, users},
		"named by something":       {`"familyDays": 30`, []inuse.Use{firm}, users},
		"another use":              {`"familyDays": 30`, []inuse.Use{idleUse("v1", 99*day), use("v1", "service")}, "[inUse service]"},
	} {
		w := newFakeRegistry(image("sha256:a", 9*day, "v1"))
		r := newRunner(t, w, families(c.settings))
		r.Remover = nil
		scans(&r, inuse.Scan{At: now, Uses: c.uses})
		report := run(t, &r)
		awstest.Equal(t, name, c.want, protectedBy(&report)["sha256:a"])
		for _, f := range report.Findings {
			if f.Kind == finding.NothingReferences {
				t.Errorf("%s: finding %v, although a family names an image", name, f)
			}
		}
		scans(&r, inuse.Scan{At: now, Uses: c.uses})
		e, err := r.Explain(t.Context(), "app", "v1")
		awstest.NoError(t, err)
		awstest.Equal(t, name+": explained", c.want, fmt.Sprint(e.ProtectedBy))
	}
}

// A node that pulls an image for several platforms also pulls the image for its own.
func TestAPullOfAChildKeepsTheImageOfAFamily(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		child time.Duration // since its last pull
		kept  bool
	}{"long ago": {30*day + time.Second, false}, "just within": {30 * day, true}} {
		w := newFakeRegistry(index("i", 99*day, "v1"), pulled(image("c", 99*day), c.child), image("d", 99*day))
		w.Children = map[string][]string{"i": {"c", "d"}}
		r := newRunner(t, w, families(`"familyDays": 30`))
		scans(&r, inuse.Scan{At: now, Uses: []inuse.Use{idleUse("v1", 99*day)}})
		run(t, &r)
		awstest.Equal(t, name+": kept", c.kept, len(w.Digests("app")) == 3)
	}
}

// The cleaner's read of the manifest of an index may be the only pull that keeps a family.
func TestTheReportCountsImagesOfFamiliesKeptByOwnPulls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string
		own      string
		index    time.Duration // since its push
		more     []inuse.Use
		want     int
	}{
		"recorded":          {`"familyDays": 30`, "recorded", 99 * day, nil, 1},
		"excluded":          {`"familyDays": 30`, "excluded", 99 * day, nil, 0},
		"familyDays is off": {``, "recorded", 99 * day, nil, 0},
		"pushed recently":   {`"familyDays": 30`, "recorded", 9 * day, nil, 0},
		"another use":       {`"familyDays": 30`, "recorded", 99 * day, []inuse.Use{use("v1", "service")}, 0},
	} {
		w := newFakeRegistry(pulled(index("i", c.index, "v1"), time.Hour), pulled(image("c", 99*day), 50*day))
		w.Children = map[string][]string{"i": {"c"}}
		r := newRunner(t, w, families(c.settings))
		r.OwnPulls = func(context.Context) plan.OwnPulls { return ownPullsKnown[c.own] }
		scans(&r, inuse.Scan{At: now, Uses: append(c.more, idleUse("v1", time.Hour))})
		report := run(t, &r)
		n := 0
		for _, f := range report.Findings {
			if f.Kind == finding.OwnPullsCount {
				n++
			}
		}
		awstest.Equal(t, name+": findings", c.want, n)
	}
}

func TestEachEntryHasItsFamilyDays(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1")).Add("other", image("sha256:b", 9*day, "v1"))
	r := newRunner(t, w, strings.Replace(families(`"familyDays": 90`), `"policies": [`,
		`"policies": [{"repositories": ["other"], "policy": `+expireOld+`, "protect": {"ecs": {"familyDays": 10}}}, `, 1))
	other := idleUse("v1", 50*day)
	other.Reference.Repository = "other"
	scans(&r, inuse.Scan{At: now, Uses: []inuse.Use{idleUse("v1", 50*day), other}})
	report := run(t, &r)
	awstest.Equal(t, "protected", "[inUse task-definition/pr:1]", protectedBy(&report)["sha256:a"])
	awstest.Empty(t, "images left in other", w.Digests("other"))
}

// The finding counts the images that nothing but idle families protects.
func TestImagesThatOnlyIdleFamiliesProtectAreAFinding(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(
		image("sha256:a", 9*day, "v1"), image("sha256:b", 9*day, "v2"), image("sha256:c", 9*day, "v3"), image("sha256:d", 9*day, "v4", "kept"),
		index("sha256:i", 9*day, "v5"), image("sha256:j", 9*day), image("sha256:k", time.Hour, "v6"),
	)
	w.Children["sha256:i"] = []string{"sha256:j"}
	uses := []inuse.Use{
		idleUse("v1", day), idleUse("v2", 99*day), use("v2", "service"), idleUse("v4", day), idleUse("v5", day), idleUse("v6", day),
	}
	messages := func(settings string) []string {
		r := newRunner(t, w, strings.Replace(families(settings), `"tagPatterns": []`, `"tagPatterns": ["kept"]`, 1))
		r.Remover = nil
		scans(&r, inuse.Scan{At: now, Uses: uses})
		report := run(t, &r)
		var found []string
		for _, f := range report.Findings {
			if f.Kind == finding.IdleFamily {
				found = append(found, f.Repository+": "+f.Message)
			}
		}
		return found
	}
	const want = "app: 2 images are protected only by ECS task definition families that nothing names; with protect.ecs.familyDays, " +
		"which ends the protection by families without activity in that time, there would be up to 2 to remove"
	awstest.Equal(t, "findings", []string{want}, messages(``))
	awstest.Empty(t, "findings with familyDays", messages(`"familyDays": 30`))
	uses = []inuse.Use{use("v1", "task-definition/pr:1"), idleUse("v1", day)} // a list names the same user
	awstest.Empty(t, "findings where a list names the same user", messages(``))
}

// A pull after the scan began is use, whatever the family's age.
func TestAPullSinceTheScanKeepsAnImageOfAnIdleFamily(t *testing.T) {
	t.Parallel()
	im := image("sha256:a", 9*day, "v1")
	im.LastRecordedPullTime = evaluator.At(now)
	r := newRunner(t, newFakeRegistry(im), families(`"familyDays": 30`))
	scans(&r, inuse.Scan{At: now, Uses: []inuse.Use{idleUse("v1", 99*day)}})
	report := run(t, &r)
	awstest.Equal(t, "protected", "[inUse a pull since the in-use scan began]", protectedBy(&report)["sha256:a"])
}

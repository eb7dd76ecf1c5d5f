package plan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// forecastOf returns the forecast for the repository "app". The map has the action, the
// blocking index and the users of each image.
func forecastOf(t *testing.T, r *cleaner.Runner, policy string) (map[string]string, plan.Forecast) {
	t.Helper()
	p, problems := lifecycle.Parse([]byte(policy), lifecycle.AWS)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	f, err := r.PlannerOf(fixture.Account).Forecast(t.Context(), "app", p, r.Config.Protect)
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]string{}
	for _, im := range f.Images {
		images[im.Digest] = fmt.Sprintf("%s %d blocked by %q used by %q", im.Action, im.Rule, im.BlockedBy, im.UsedBy)
	}
	return images, f
}

func wantForecast(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	awstest.Equal(t, "forecast", want, got)
}

// ECR protects neither the newest image, nor latest, nor a signature.
func TestECRRemovesEveryMarkedImage(t *testing.T) {
	t.Parallel()
	signature := image("sha256:s", 9*day, "sha256-"+strings.Repeat("0", 64)+".sig")
	w := newFakeRegistry(image("sha256:a", 2*day, "latest"), signature, image("sha256:n", 0, "new"))
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{})
	got, f := forecastOf(t, &r, expireOld)
	wantForecast(t, got, map[string]string{
		"sha256:a": `expire 1 blocked by "" used by []`,
		"sha256:s": `expire 1 blocked by "" used by []`,
	})
	if f.Listed != 3 || f.InUseUnknown != nil || f.Images[0].Digest != "sha256:s" || f.Images[0].Reason != "pushed 9d ago, limit 1d" {
		t.Errorf("forecast is %+v", f)
	}
}

func TestRelatedImagesOfAnImageInUseAreInUse(t *testing.T) {
	t.Parallel()
	used := strings.Repeat("1", 64)
	w := newFakeRegistry(
		index("sha256:"+used, 9*day, "v1"), image("sha256:amd64", 9*day), image("sha256:arm64", 9*day),
		image("sha256:sig", 9*day, "sha256-"+used+".sig"), image("sha256:other", 9*day, "v2"))
	w.Children["sha256:"+used] = []string{"sha256:amd64", "sha256:arm64"}
	r := newRunner(t, w, scanned)
	for _, name := range []string{"v1", "sha256:amd64"} { // the index, or one of its children
		scans(&r, inuse.Scan{Uses: []inuse.Use{use(name, "task")}})
		got, _ := forecastOf(t, &r, expireOld)
		wantForecast(t, got, map[string]string{
			"sha256:" + used: `expire 1 blocked by "" used by ["task"]`,
			"sha256:amd64":   `expire 1 blocked by "" used by ["task"]`,
			"sha256:arm64":   `expire 1 blocked by "" used by ["task"]`,
			"sha256:sig":     `expire 1 blocked by "" used by ["task"]`,
			"sha256:other":   `expire 1 blocked by "" used by []`,
		})
	}
}

// ECR deletes no image that an existing index lists.
func TestAKeptIndexBlocksItsChildren(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(
		index("sha256:kept", 9*day, "v1"), index("sha256:inner", 9*day), image("sha256:c", 9*day),
		index("sha256:gone", 9*day), image("sha256:d", 9*day), image("sha256:shared", 9*day))
	w.Children["sha256:kept"] = []string{"sha256:inner", "sha256:shared"}
	w.Children["sha256:inner"] = []string{"sha256:c"}
	w.Children["sha256:gone"] = []string{"sha256:d", "sha256:shared"}
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{})
	got, _ := forecastOf(t, &r, expireUntagged)
	wantForecast(t, got, map[string]string{
		"sha256:inner":  `expire 1 blocked by "sha256:kept" used by []`,
		"sha256:c":      `expire 1 blocked by "sha256:inner" used by []`,
		"sha256:shared": `expire 1 blocked by "sha256:kept" used by []`,
		"sha256:gone":   `expire 1 blocked by "" used by []`,
		"sha256:d":      `expire 1 blocked by "" used by []`,
	})
}

func TestAnArchivedIndexBlocksDeletionButNotTheArchive(t *testing.T) {
	t.Parallel()
	archived := index("sha256:cold", 9*day)
	archived.Status, archived.LastArchivedAt = evaluator.Archived, evaluator.At(now)
	w := newFakeRegistry(archived, index("sha256:warm", 9*day, "v1"), image("sha256:c", 9*day), image("sha256:d", 9*day))
	w.Children["sha256:warm"] = []string{"sha256:c"}
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{})
	got, _ := forecastOf(t, &r, fixture.ArchiveOld)
	wantForecast(t, got, map[string]string{
		"sha256:warm": `transition 2 blocked by "" used by []`,
		"sha256:c":    `transition 2 blocked by "" used by []`,
		"sha256:d":    `transition 2 blocked by "" used by []`,
	})
}

func TestImagesInUseMayBeUnknown(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(index("sha256:i", 9*day, "v1"), image("sha256:a", 9*day, "v2"))
	r := newRunner(t, w, scanned)

	scans(&r, inuse.Scan{Failed: []inuse.Failure{{Source: "ecs", Err: errors.New("denied")}}})
	if _, f := forecastOf(t, &r, expireOld); f.InUseUnknown == nil || f.InUseUnknown.Message != "in-use scan: ecs: denied" {
		t.Errorf("after a scan that failed: %+v", f.InUseUnknown)
	}
	scans(&r, inuse.Scan{Uses: []inuse.Use{use("v2", "task")}})
	if _, f := forecastOf(t, &r, expireOld); f.InUseUnknown == nil || !strings.Contains(f.InUseUnknown.Message, "the manifest of the index sha256:i cannot be read") {
		t.Errorf("beside an index that cannot be read: %+v", f.InUseUnknown)
	}
	scans(&r, inuse.Scan{Uses: []inuse.Use{use("v9", "task")}})
	if _, f := forecastOf(t, &r, expireOld); f.InUseUnknown != nil || len(f.Findings) != 2 || f.Findings[0].Kind != finding.ManifestUnreadable {
		t.Errorf("with nothing listed in use: %+v, %v", f.InUseUnknown, f.Findings)
	}
}

func TestNoScanWithoutMarkedImages(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(image("sha256:a", 0, "v1")), scanned)
	made := scans(&r, inuse.Scan{})
	if got, f := forecastOf(t, &r, expireOld); len(got) != 0 || f.Listed != 1 || *made != 0 {
		t.Errorf("forecast %+v after %d scans", f, *made)
	}
}

// Every recorded pull of an index counts, as it does for ECR.
func TestECRCountsThePullsOfIndexes(t *testing.T) {
	t.Parallel()
	pulled := index("sha256:i", 9*day, "v1")
	pulled.LastRecordedPullTime = evaluator.At(now.Add(-time.Hour))
	w := newFakeRegistry(pulled, image("sha256:c", 9*day))
	w.Children["sha256:i"] = []string{"sha256:c"}
	r := newRunner(t, w, scanned)
	r.OwnPulls = nil
	scans(&r, inuse.Scan{})
	got, _ := forecastOf(t, &r, strings.Replace(fixture.ArchiveOld, "sinceImagePushed", "sinceImagePulled", 1))
	wantForecast(t, got, map[string]string{"sha256:c": `transition 2 blocked by "sha256:i" used by []`})
}

func TestForecastEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(index("sha256:i", 9*day)), scanned)
	p, _ := lifecycle.Parse([]byte(expireOld), lifecycle.AWS)
	failing := r.Registry.(reader)
	failing.ChildrenFunc = func(context.Context, string, []string) (map[string][]string, error) {
		return nil, errors.New("no manifests")
	}
	r.Registry = failing
	_, err := r.PlannerOf(fixture.Account).Forecast(t.Context(), "app", p, r.Config.Protect)
	wantError(t, err, "no manifests")
	failing.ImagesFunc = func(context.Context, string) ([]evaluator.Image, error) { return nil, errors.New("no listing") }
	r.Registry = failing
	_, err = r.PlannerOf(fixture.Account).Forecast(t.Context(), "app", p, r.Config.Protect)
	wantError(t, err, "no listing")
}

func TestForecastSaysWhoElseMayPull(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"))
	r := newRunner(t, w, scanned)
	r.Registry = policyReader{w.Reader(), `{"Statement": {"Effect": "Allow", "Action": "ecr:*", "Principal": "*"}}`, nil}
	scans(&r, inuse.Scan{Uses: []inuse.Use{use("v9", "task")}})
	_, f := forecastOf(t, &r, expireOld)
	if len(f.Findings) != 2 || f.Findings[1].Kind != finding.SharedRepository || f.Scanned.IsZero() {
		t.Errorf("findings are %v, scanned %s", f.Findings, f.Scanned)
	}
}

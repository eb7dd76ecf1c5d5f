package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

const (
	pulledRecently = `{"policies": [{"policy": ` + expireOld + `}], "protect": {"inUse": [], "tagPatterns": [], "keepNewest": 0, "pushedWithinHours": 0, "pulledWithinDays": 7}}`
	unpulled       = `{"policies": [{"policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 30},
		"action": {"type": "transition", "targetStorageClass": "archive"}}]}}], ` + unprotected + `}`
)

// ownPullsKnown has every state of knowledge about the pulls of this role.
var ownPullsKnown = map[string]plan.OwnPulls{
	"excluded": fixture.Excluded, "recorded": {Principal: "arn:aws:iam::123456789012:role/cleaner"}, "unknown": {Err: errors.New("denied")},
}

// Every recorded pull of an index in the listing counts, even if it may be the cleaner's
// from an earlier run.
func TestTheRecordedPullOfAnIndexCounts(t *testing.T) {
	t.Parallel()
	for name, own := range ownPullsKnown {
		for configuration, want := range map[string]map[string]string{
			pulledRecently: {"pulled": "expire, pulledWithinDays 7 days", "child": "expire, child pulled", "stale": "expire", "old": "expire"},
			unpulled:       {"child": "transition, child pulled", "stale": "transition", "old": "transition"},
		} {
			w := newFakeRegistry(pulled(index("pulled", 99*day), time.Hour), pulled(image("child", 99*day), 50*day),
				pulled(index("stale", 99*day), 50*day), pulled(image("old", 99*day), 50*day))
			w.Children = map[string][]string{"pulled": {"child"}, "stale": {"old"}}
			planner := w.Planner()
			planner.OwnPulls = fixture.Known(own)
			plan, err := planner.Plan(t.Context(), "app", entryOf(t, configuration))
			if err != nil {
				t.Fatal(err)
			}
			awstest.Equal(t, name+": verdicts", want, verdicts(&plan))
		}
	}
}

// Rules that count from the pull use the pull of the index itself, as ECR does.
func TestRulesByPullNeedNoManifests(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	w := newFakeRegistry(pulled(index("i", 99*day), 0))
	reader := w.Reader()
	reader.ChildrenFunc = func(context.Context, string, []string) (map[string][]string, error) { return nil, broken }
	plan, err := plan.Planner{Registry: reader, Now: now}.Plan(t.Context(), "app", entryOf(t, unpulled))
	if err != nil || len(plan.Images) != 0 {
		t.Errorf("images %v, error %v", plan.Images, err)
	}
}

// The report says how many indexes are kept only for their own recorded pull, or that the cleaner
// does not know whether its reads are recorded. It has one such finding for the whole registry.
func TestTheReportCountsImagesKeptByOwnPulls(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		child time.Duration // since its last pull
		tags  []string      // of the index
		want  map[string]string
	}{
		"nothing but the pull of the index keeps it": {50 * day, nil, map[string]string{
			"recorded": "ownPullsCount: 2 indexes are kept because ECR records this role's reads of manifests as pulls; …",
			"unknown":  "ownPullsUnknown: the cleaner cannot find out whether ECR records this role's reads of manifests as pulls (denied), and assumes that it does; 2 indexes are kept only for that reason; …",
		}},
		"a child was pulled":      {time.Hour, nil, map[string]string{"unknown": "ownPullsUnknown: …"}},
		"something else keeps it": {50 * day, []string{"keep"}, map[string]string{"unknown": "ownPullsUnknown: …"}},
	} {
		for known, own := range ownPullsKnown {
			images := []evaluator.Image{pulled(index("i", 99*day, test.tags...), time.Hour), pulled(image("c", 99*day), test.child)}
			w := newFakeRegistry(images...).Add("other", images...)
			w.Children = map[string][]string{"i": {"c"}}
			r := newRunner(t, w, strings.Replace(pulledRecently, `"tagPatterns": []`, `"tagPatterns": ["keep"]`, 1))
			r.OwnPulls = func(context.Context) plan.OwnPulls { return own }
			report := run(t, &r)
			var got []string
			for _, f := range report.Findings {
				got = append(got, fmt.Sprintf("%s: %s", f.Kind, f.Message))
			}
			want := test.want[known]
			start, _ := strings.CutSuffix(want, "…")
			if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], start)) || report.Incomplete {
				t.Errorf("%s, %s: findings %q, want %q; incomplete %t", name, known, got, want, report.Incomplete)
			}
		}
	}
}

// The finding has the command that registers the role.
func TestTheReportSaysHowToRegisterTheRole(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(pulled(index("i", 99*day), time.Hour), image("c", 99*day))
	w.Children = map[string][]string{"i": {"c"}}
	r := newRunner(t, w, pulledRecently)
	r.OwnPulls = func(context.Context) plan.OwnPulls { return ownPullsKnown["recorded"] }
	report := run(t, &r)
	const want = "1 index is kept because ECR records this role's reads of manifests as pulls; unless the role also pulls images to run them, as SSO, CI and node roles do, " +
		"register it: aws ecr register-pull-time-update-exclusion --principal-arn arn:aws:iam::123456789012:role/cleaner"
	if len(report.Findings) != 1 || report.Findings[0].Message != want {
		t.Errorf("findings %+v", report.Findings)
	}
}

// Between the listing and the deletion ECR may record the cleaner's own reading as a
// pull. The re-check disregards that one change if ECR is known to record these pulls.
// Every other pull keeps the image, even in the second before or after.
func TestTheRecheckDisregardsOneOwnRead(t *testing.T) {
	t.Parallel()
	ours, earlier, later := evaluator.At(now.Add(700*time.Millisecond)), evaluator.At(now.Add(-time.Nanosecond)), evaluator.At(now.Add(time.Second))
	for name, test := range map[string]struct {
		pulls   []evaluator.Instant // at the re-checks
		removed map[string]bool     // by ownPullsKnown
	}{
		"none":                      {nil, map[string]bool{"excluded": true, "recorded": true, "unknown": true}},
		"our read":                  {[]evaluator.Instant{ours}, map[string]bool{"recorded": true}},
		"before our read":           {[]evaluator.Instant{earlier}, nil},
		"after our read":            {[]evaluator.Instant{later}, nil},
		"our read, and then others": {[]evaluator.Instant{ours, ours + 1}, nil},
		"our read twice":            {[]evaluator.Instant{ours, ours}, map[string]bool{"recorded": true}},
	} {
		for known, own := range ownPullsKnown {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeRegistry(pulled(index("i", 99*day), 50*day))
				w.Children = map[string][]string{"i": {}}
				r := newRunner(t, w, pulledRecently)
				r.OwnPulls = func(context.Context) plan.OwnPulls { return own }
				rechecks := 0
				remover := w.Remover().BeforeDescribe(func(string) {
					if rechecks++; len(test.pulls) > 0 {
						w.Set("i", func(im *evaluator.Image) { im.LastRecordedPullTime = test.pulls[min(rechecks, len(test.pulls))-1] })
					}
				})
				if len(test.pulls) > 1 {
					failing(&remover, 1, fixture.ErrThrottled, nil) // for a second re-check
				}
				r.Remover = remover
				report := run(t, &r)
				want := "changed: lastRecordedPullTime changed since the plan"
				if test.removed[known] {
					want = "deleted"
				}
				awstest.Equal(t, name+", "+known, want, fixture.Reported(t, &report)["i"])
			})
		}
	}
}

// A read is recorded once, even if the plan is made again. A later pull counts, even in
// the same second as the read.
func TestAPlanThatIsMadeAgainDisregardsOneOwnRead(t *testing.T) {
	t.Parallel()
	ours := evaluator.At(now.Add(700 * time.Millisecond))
	for pull, want := range map[evaluator.Instant]string{ours: "deleted", ours + 1: ""} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(pulled(index("i", 99*day), 50*day))
			w.Children = map[string][]string{"i": {}}
			r := newRunner(t, w, pulledRecently)
			r.OwnPulls = nil
			clock := now
			r.Clock = func() time.Time { return clock }
			remover := w.Remover().BeforeDescribe(func(string) {
				if clock.Equal(now) { // at the first re-check
					w.Set("i", func(im *evaluator.Image) { im.LastRecordedPullTime = ours })
				}
			})
			failing(&remover, 1, fixture.ErrThrottled, func(int) { clock = clock.Add(usage.MaxScanAge + time.Second) })
			r.Remover = remover
			r.Registry = w.Reader().BeforeImages(func(string) {
				if !clock.Equal(now) {
					w.Set("i", func(im *evaluator.Image) { im.LastRecordedPullTime = pull })
				}
			})
			report := run(t, &r)
			awstest.Equal(t, fmt.Sprintf("pull %v", pull.Time()), want, fixture.Reported(t, &report)["i"])
		})
	}
}

// A person saves a plan, and applies it later with a role that is no exclusion. The cleaner
// disregards the reads for both plans.
func TestASavedPlanDisregardsItsOwnReads(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pull evaluator.Instant // recorded after the plan
		want string
	}{
		"none":           {0, "deleted"},
		"our read":       {evaluator.At(now.Add(time.Second / 2)), "deleted"},
		"somebody else":  {evaluator.At(now.Add(time.Hour)), "protected"},
		"much too early": {evaluator.At(now.Add(-time.Minute)), "protected"},
	} {
		w := newFakeRegistry(pulled(index("i", 99*day), 50*day), image("c", 99*day))
		w.Children = map[string][]string{"i": {"c"}}
		r := newRunner(t, w, pulledRecently)
		r.OwnPulls, r.Remover = nil, nil
		saved := run(t, &r)
		text := new(strings.Builder)
		if err := saved.WriteJSON(text); err != nil {
			t.Fatal(err)
		}
		plan, err := report.ReadPlan([]byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		if test.pull != 0 {
			w.Set("i", func(im *evaluator.Image) { im.LastRecordedPullTime = test.pull })
		}
		r.Now, r.Saved, r.Remover = now.Add(2*time.Hour), plan, w.Remover()
		report := run(t, &r)
		got := fixture.Reported(t, &report)["i"]
		if got == "" {
			got = "protected"
		}
		if got != test.want || (test.want == "deleted") == slices.Contains(w.Digests("app"), "i") {
			t.Errorf("%s: %q, want %q; left %v", name, got, test.want, w.Digests("app"))
		}
	}
}

// If the context of a caller ends, the callers with another context get no error.
func TestAskOnceAsksOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		get := plan.AskOnce(func(ctx context.Context) plan.OwnPulls {
			asked++
			select {
			case <-time.After(time.Second):
				return fixture.Excluded
			case <-ctx.Done():
				return plan.OwnPulls{Err: ctx.Err()}
			}
		}).Get
		stopped, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for i, ctx := range []context.Context{stopped, t.Context()} {
			want := i + 1
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					if got := get(ctx); got.Excluded != (want == 2) || (got.Err == nil) != (want == 2) {
						t.Errorf("%+v after %d calls", got, asked)
					}
				})
			}
			wg.Wait()
			if want == 1 && asked != 1 || asked > 2 {
				t.Errorf("asked %d times, want %d", asked, want)
			}
		}
	})
}

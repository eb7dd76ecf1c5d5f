package cleaner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const sourceB = "ecs@222222222222/eu-west-1"

// queryingB is a configuration that also queries ECS in account 222222222222.
var queryingB = strings.Replace(scanned, `"inUse": ["ecs", "lambda"]`,
	`"inUse": ["ecs"], "accounts": [{"roleArn": "arn:aws:iam::222222222222:role/member", "regions": ["eu-west-1"]}]`, 1)

// deniedB is a scan in which account 222222222222 fails.
func deniedB() inuse.Scan {
	return inuse.Scan{Counts: map[string]int{"ecs": 1}, Failed: []inuse.Failure{{Source: sourceB, Err: errors.New("assume role: denied"), Account: "222222222222"}}}
}

// shared returns a registry with an old image in each of two repositories, and a runner that
// queries account 222222222222, which may pull from "app".
func shared(t *testing.T) (*fakeecr.Server, cleaner.Runner) {
	t.Helper()
	registry, r := newRegistry(t, queryingB)
	registry.CreateRepository("web")
	for _, name := range []string{"app", "web"} {
		registry.Put(name, fakeecr.Image{PushedAt: now.Add(-9 * day)})
	}
	registry.SetRepositoryPolicy("app", `{"Statement": {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": {"AWS": "222222222222"}}}`)
	return registry, r
}

// An account that cannot be queried makes the run incomplete, also if it keeps nothing.
func TestARunWithoutAnAccountIsIncomplete(t *testing.T) {
	t.Parallel()
	for _, admitted := range []bool{true, false} {
		registry, r := shared(t)
		kept := 1
		if !admitted {
			registry.SetRepositoryPolicy("app", "")
			kept = 0
		}
		scans(&r, deniedB())
		result := run(t, &r)
		awstest.Equal(t, "images in app and web", []int{kept, 0}, []int{len(registry.Images("app")), len(registry.Images("web"))})
		awstest.Equal(t, "skipped", kept, len(skips(&result)))
		want := []finding.Finding{{Kind: finding.ScanFailed, Message: "in-use scan: " + sourceB + ": assume role: denied"}}
		if !result.Incomplete || result.Handled() || result.Undone()["in-use sources"] != 1 || result.Findings[0] != want[0] {
			t.Errorf("incomplete %t, undone %v, findings %v", result.Incomplete, result.Undone(), result.Findings)
		}
	}
}

// Since the plan was saved, the account may have begun to use other images.
func TestASavedPlanIsAppliedWithoutWhatAFailedAccountMayUse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scan    inuse.Scan
		message string
	}{
		"the account fails":    {deniedB(), "assume role: denied"},
		"it has no uses now":   {inuse.Scan{Counts: map[string]int{"ecs": 1, sourceB: 0}, Accounts: map[string]string{sourceB: "222222222222"}}, "had 3 uses before and has none now"},
		"its source is as was": {inuse.Scan{Counts: map[string]int{"ecs": 1, sourceB: 3}, Accounts: map[string]string{sourceB: "222222222222"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry, r := shared(t)
			remover := r.Remover
			r.Remover = nil
			scans(&r, inuse.Scan{Counts: map[string]int{"ecs": 1, sourceB: 3}})
			saved, err := report.ReadPlan([]byte(fixture.ToJSON(t, run(t, &r))))
			if err != nil || saved.Totals.Expired != 2 {
				t.Fatalf("saved plan %+v, %v", saved, err)
			}
			r.Saved, r.Remover, r.Now = saved, remover, now.Add(time.Hour)
			scans(&r, c.scan)
			result := run(t, &r)
			app := repositoryOf(t, &result, "app")
			kept := c.message != ""
			if (app.Skipped == plan.SkipScanFailed) != kept || !strings.Contains(app.Message, c.message) || result.Incomplete != kept {
				t.Errorf("app: skipped %q, %s; incomplete %t", app.Skipped, app.Message, result.Incomplete)
			}
			awstest.Equal(t, "images in app and web", []int{len(skips(&result)), 0}, []int{len(registry.Images("app")), len(registry.Images("web"))})
		})
	}
}

// The plans of the first scan rely on a source that only the second scan knows.
func TestAFailureOfAnEarlierScanMakesTheRunIncomplete(t *testing.T) {
	t.Parallel()
	registry, r := shared(t)
	registry.SetRepositoryPolicy("app", "")
	made, clock := 0, now
	r.Workers, r.Remover, r.Clock = 1, nil, func() time.Time { clock = clock.Add(4 * time.Minute); return clock }
	r.Scan = func(context.Context) inuse.Scan {
		if made++; made == 1 {
			return deniedB()
		}
		return inuse.Scan{Counts: map[string]int{"ecs": 1, sourceB: 0}}
	}
	result := run(t, &r)
	if made < 2 || !result.Incomplete || result.Undone()["in-use sources"] != 1 {
		t.Errorf("after %d scans: incomplete %t, undone %v", made, result.Incomplete, result.Undone())
	}
}

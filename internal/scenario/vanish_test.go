package scenario_test

import (
	"fmt"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// vanishing has configurations with which a run makes every possible call about a repository.
var vanishing = map[string]string{
	"deleted":  configuration("expire any pulled>30", "", `"orphans": "delete"`),
	"archived": configuration("expire any pulled>30", "", `"orphans": "delete", "onExpire": "archive"`),
	"untagged": configuration("untag dead-* pushed>30; expire untagged pushed>30", "", ""),
	"attached": configuration("attached", "", ""),
}

const vanishingPicture = `
	index 90d >amd,arm #v1
	amd   90d
	arm   90d
	sig   90d ^index
	dead  90d #dead-1 #kept
	old   90d
	repository other
	else  90d`

// vanishingFixture returns a registry in which both repositories have an attached policy, and in
// which the listing of app has several pages. It calls then before the call with that number.
func vanishingFixture(at int, then func(*fixture)) *fixture {
	f := emptyFixture(draw(vanishingPicture))
	for _, name := range []string{"app", "other"} {
		f.server.SetLifecyclePolicy(name, policy("expire any pushed>30"))
	}
	f.server.Inject(fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: fakeecr.ShortPage, Operation: "DescribeImages", Repository: "app", Nth: 1}}})
	l := newLine(f.journal)
	l.at, l.then = at, func() { then(f) }
	f.connectOver(l, function.DefaultConcurrency)
	return f
}

// beforeAnyCall makes a run for each call of the longest run. Something vanishes before
// that call. The run must not fail.
func beforeAnyCall(t *testing.T, configuration string, vanish func(*fixture)) {
	t.Helper()
	for at, calls := 2, 2; at <= calls; at++ { // the first lists the repositories
		f := vanishingFixture(at, vanish)
		report := f.apply(t, configuration)
		calls = max(calls, len(f.journal.calls))
		wantGone(t, fmt.Sprintf("call %d, %s", at, f.journal.calls[min(at, len(f.journal.calls))-1].operation), &report)
	}
}

// Another user deletes a repository; the run continues.
func TestARepositoryVanishesBeforeAnyCall(t *testing.T) {
	t.Parallel()
	for name, text := range vanishing {
		awstest.Parallel(t, name, func(t *testing.T) {
			beforeAnyCall(t, text, func(f *fixture) { f.server.DeleteRepository("app") })
		})
	}
}

// Another user deletes an image; the run continues.
func TestAnImageVanishesBeforeAnyCall(t *testing.T) {
	t.Parallel()
	for name, text := range vanishing {
		for _, image := range []string{"index", "amd", "sig", "dead", "old"} {
			awstest.Parallel(t, name+", "+image, func(t *testing.T) {
				beforeAnyCall(t, text, func(f *fixture) { f.server.Remove("app", digestOf(image)) })
			})
		}
	}
}

// wantGone checks that the report says at most that images do not exist any more.
func wantGone(t *testing.T, when string, report *report.Report) {
	t.Helper()
	if report.Incomplete || report.Totals.Failed+report.Totals.NotAttempted > 0 || len(report.Repositories) == 0 {
		t.Errorf("%s: incomplete is %t, totals are %+v, skipped %v", when, report.Incomplete, report.Totals, skips(report))
	}
	for _, r := range report.Repositories {
		if r.Skipped != "" && r.Skipped != plan.SkipGone {
			t.Errorf("%s: %s is skipped: %s", when, r.Name, r.Message)
		}
	}
}

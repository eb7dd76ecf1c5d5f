package scenario_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// The tests of this file run in synctest bubbles, in which waiting takes no time.

// ofMany returns a registry with that many repositories, each with that many old images.
// Its clients call it over a line.
func ofMany(repositories, images int) *fixture {
	f := emptyFixture(nil)
	for n := range repositories {
		name := fmt.Sprintf("app-%02d", n)
		f.server.CreateRepository(name)
		for i := range images {
			f.server.Put(name, fakeecr.Image{Digest: digestOf(fmt.Sprint(n, i)), PushedAt: noon.Add(-90 * day)})
		}
	}
	f.connectOver(newLine(f.journal), function.DefaultConcurrency)
	return f
}

// applyWithin applies the configuration with that time limit, like the programs.
func (f *fixture) applyWithin(t *testing.T, limit time.Duration, configuration string) (report.Report, error) {
	t.Helper()
	ctx, cancelAll := context.WithTimeout(t.Context(), limit)
	defer cancelAll()
	run, stop, cancel := function.Limit(ctx, time.Now())
	defer cancel()
	r := f.runner(t, configuration)
	r.Remover, r.Stop = f.registry.Remover, stop
	r.OwnPulls = nil
	return r.Run(run)
}

// wantAll checks that all images are deleted and that the report has no other outcome.
func (f *fixture) wantAll(t *testing.T, report *report.Report, images int) {
	t.Helper()
	if report.Incomplete || report.Totals.Expired != images || report.Totals.Deleted != images {
		t.Errorf("incomplete is %t, totals are %+v, skipped %v", report.Incomplete, report.Totals, skips(report))
	}
	for _, r := range report.Repositories {
		if left := f.server.Images(r.Name); len(left) > 0 {
			t.Errorf("%d images are left in %s", len(left), r.Name)
		}
	}
}

const expireAll = "expire any pushed>30"

// One limit for all calls is far below the rate that a run could reach.
func TestThrottlingAbandonsNoRepository(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := ofMany(40, 10)
		f.server.Throttle("", 5, 5)
		report, err := f.applyWithin(t, 15*time.Minute, configuration(expireAll, "", ""))
		awstest.NoError(t, err)
		f.wantAll(t, &report, 400)
	})
}

// The limit for deletions is so low that the time runs out.
func TestThrottledDeletionsAreReportedExactly(t *testing.T) {
	t.Parallel()
	for _, burst := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			f := ofMany(8, 150)
			f.server.Throttle("BatchDeleteImage", 0.1, burst)
			start := time.Now()
			report, err := f.applyWithin(t, 30*time.Second, configuration(expireAll, "", ""))
			if took := time.Since(start); err != nil || took > 30*time.Second {
				t.Fatalf("took %v: %v", took, err)
			}
			all := report.Totals
			if !report.Incomplete || len(report.Repositories) != 8 || all.Expired != 1200 || all.Deleted == 0 || all.NotAttempted == 0 {
				t.Errorf("incomplete is %t, totals are %+v", report.Incomplete, all)
			}
			for _, r := range report.Repositories {
				if deleted := 150 - len(f.server.Images(r.Name)); r.Deleted != deleted || deleted+r.NotAttempted+r.Failed != r.Expired {
					t.Errorf("%d images of %s are deleted and %+v is reported", deleted, r.Name, r.Counts)
				}
			}
		})
	}
}

// outages are ways in which a service is down.
var outages = []fakeecr.FaultKind{
	fakeecr.ServerError, fakeecr.BadGateway, fakeecr.Reset, fakeecr.CutAnswer, fakeecr.TruncatedJSON, fakeecr.EmptyAnswer, fakeecr.HTMLAnswer,
}

// down makes the operation, or all operations for "", fail for a duration. It begins at
// that call of the operation begins.
func (f *fixture) down(kind fakeecr.FaultKind, begins string, from int, operation string, d time.Duration) {
	var n atomic.Int64
	f.server.Before(begins, func() {
		if n.Add(1) != int64(from) {
			return
		}
		f.server.Inject(fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: kind, Operation: operation, Probability: 1}}})
		time.AfterFunc(d, func() { f.server.Inject(fakeecr.Faults{}) })
	})
}

// ECR is down for minutes during a listing, or sends unreadable answers. The run waits,
// and takes no answer for an empty list.
func TestOutagesOfReadingAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, kind := range outages {
		for _, operation := range []string{"DescribeImages", "GetLifecyclePolicy"} {
			awstest.Parallel(t, fmt.Sprint(operation, ", ", kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := ofMany(3, 20)
					for n := range 3 {
						f.server.SetLifecyclePolicy(fmt.Sprintf("app-%02d", n), policy(expireAll))
					}
					f.registry.Concurrency.Most = 1
					f.down(kind, operation, 2, operation, 5*time.Minute)
					report, err := f.applyWithin(t, 14*time.Minute, configuration("attached", "", ""))
					awstest.NoError(t, err)
					f.wantAll(t, &report, 60)
				})
			})
		}
	}
}

// ECR is down for minutes during removals. When ECR is back, the run finds out which
// images were removed and removes the others.
func TestOutagesOfRemovingAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, kind := range append([]fakeecr.FaultKind{fakeecr.LostAnswer}, outages...) {
		for at := range 4 {
			awstest.Parallel(t, fmt.Sprint(kind, ", call ", at+1), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := ofMany(4, 20)
					f.down(kind, "BatchDeleteImage", at+1, "", 5*time.Minute)
					report, err := f.applyWithin(t, 14*time.Minute, configuration(expireAll, "", ""))
					awstest.NoError(t, err)
					f.wantAll(t, &report, 80)
				})
			})
		}
	}
}

func TestRemovalsWhoseAnswerCannotBeReadAreReportedAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, kind := range []fakeecr.FaultKind{fakeecr.LostAnswer, fakeecr.CutAnswer, fakeecr.TruncatedJSON, fakeecr.EmptyAnswer, fakeecr.HTMLAnswer} {
		awstest.Parallel(t, string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := ofMany(1, 5)
				f.server.Inject(fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: kind, Operation: "BatchDeleteImage", Nth: 1}}})
				report, err := f.applyWithin(t, time.Minute, configuration(expireAll, "", ""))
				awstest.NoError(t, err)
				f.wantAll(t, &report, 5)
				for _, im := range report.Repositories[0].Images {
					if !strings.HasPrefix(im.Message, "unconfirmed: ") {
						t.Errorf("said of an image: %q", im.Message)
					}
				}
				awstest.Equal(t, "BatchDeleteImage calls", 1, f.server.Calls()["BatchDeleteImage"])
			})
		})
	}
}

// If the time runs out before the end of a listing, the report has the error of the listing.
func TestTheReportNamesTheFaultForWhichTheTimeRanOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := ofMany(2, 5)
		f.server.Fail("DescribeImages", "app-00", "ThrottlingException")
		start := time.Now()
		report, err := f.applyWithin(t, time.Minute, configuration(expireAll, "", ""))
		if took := time.Since(start); err != nil || took > time.Minute {
			t.Fatalf("took %v: %v", took, err)
		}
		sameLines(t, "skipped", skips(&report), `app-00: deadline: not read completely: the run's time ran out (describe images in app-00: operation error ECR: DescribeImages, …`)
		if message := report.Repositories[0].Message; !report.Incomplete || !strings.Contains(message, "ThrottlingException") {
			t.Errorf("incomplete is %t, %s", report.Incomplete, message)
		}
		f = ofMany(1, 1)
		f.server.Fail("DescribeRepositories", "", "ThrottlingException")
		_, err = f.applyWithin(t, time.Minute, configuration(expireAll, "", ""))
		awstest.ErrorContains(t, err, "DescribeRepositories, ", "ThrottlingException")
	})
}

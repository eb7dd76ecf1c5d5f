package scenario_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// queue returns a registry of that many repositories, each with one image that is 90
// days old. The run makes calls within the limits.
func queue(repositories int, limits pace.Limits) *fixture {
	var p picture
	for i := range repositories {
		p = append(p, repository{name: fmt.Sprint("r", i), images: []image{{name: fmt.Sprint("a", i), age: 90 * day}}})
	}
	f := emptyFixture(p)
	f.connectOver(awstest.InProcess(f.journal), limits)
	return f
}

// crowd makes many repositories delete at the same time within limits of concurrency,
// while each deletion takes a second. It returns the longest time from a re-check to the
// request that relies on it.
func crowd(t *testing.T, repositories int, limits pace.Limits) (longest time.Duration, report report.Report) {
	f := queue(repositories, limits)
	var mu sync.Mutex
	described := map[string]time.Time{}
	f.journal.on(func(c recorded) {
		mu.Lock()
		for _, d := range c.digests {
			switch c.operation {
			case "DescribeImages":
				described[d] = time.Now()
			case "BatchDeleteImage":
				longest = max(longest, time.Since(described[d]))
			}
		}
		mu.Unlock()
		if c.operation == "BatchDeleteImage" {
			time.Sleep(time.Second) // not real time
		}
	})
	r := f.runner(t, configuration("expire any pushed>30", "", ""))
	r.Remover, r.Workers = f.registry.Remover, repositories
	return longest, run(t, &r)
}

// A removing call waits for its turn before the re-check, not between the re-check and the request.
func TestThePaceDoesNotWidenTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		longest, report := crowd(t, 9, pace.Limits{Start: 1, Most: 1})
		t.Logf("longest %v, deleted %d, failed %d", longest, report.Totals.Deleted, report.Totals.Failed)
		if longest > 2*time.Second {
			t.Errorf("a deletion was requested %v after the re-check that it relies on", longest)
		}
	})
}

// A call may wait for its turn longer than the time limit of the call.
func TestThePaceTakesNoTimeFromTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, report := crowd(t, 60, pace.Limits{Start: 1, Most: 1})
		if report.Totals.Deleted != 60 {
			t.Errorf("totals %+v", report.Totals)
			for _, r := range report.Repositories {
				for _, im := range r.Images {
					if im.Outcome != plan.Deleted {
						t.Logf("%s %s", im.Outcome, im.Message)
					}
				}
			}
		}
	})
}

// With the default concurrency, after throttling, deletions wait several seconds for
// their turn. The run re-checks them after that.
func TestTheQueueAtTheDefaultConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := queue(8, function.DefaultConcurrency)
		const refusals = 8 * 5 // of each deletion the first five attempts
		f.server.FailNext("BatchDeleteImage", "", "ThrottlingException", refusals)
		var mu sync.Mutex
		described := map[string]time.Time{}
		f.journal.on(func(c recorded) {
			mu.Lock()
			if c.operation == "DescribeImages" {
				for _, d := range c.digests {
					described[d] = time.Now()
				}
			}
			if c.operation != "BatchDeleteImage" {
				mu.Unlock()
				return
			}
			digest := c.digests[0]
			if since := time.Since(described[digest]); since > 2*time.Second {
				t.Errorf("%s is deleted %v after the re-check", f.names[digest], since)
			}
			mu.Unlock()
			time.Sleep(1500 * time.Millisecond) // not real time
		})
		r := f.runner(t, configuration("expire any pushed>30", "", ""))
		r.Remover = f.registry.Remover
		report := run(t, &r)
		t.Logf("%+v", report.Totals)
	})
}

func TestAnImageThatIsTaggedInTheQueueIsSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := queue(9, pace.Limits{Start: 1, Most: 1})
		var mu sync.Mutex
		n := 0
		var asked []string
		f.journal.on(func(c recorded) {
			if c.operation != "BatchDeleteImage" {
				return
			}
			mu.Lock()
			n++
			nth := n
			asked = append(asked, f.names[c.digests[0]])
			mu.Unlock()
			time.Sleep(time.Second) // not real time
			if nth == 3 {
				mu.Lock()
				defer mu.Unlock()
				for i := range 9 {
					if name := fmt.Sprint("a", i); !slices.Contains(asked, name) {
						f.server.Tag(fmt.Sprint("r", i), digestOf(name), "release")
					}
				}
			}
		})
		r := f.runner(t, configuration("expire any pushed>30", "", ""))
		r.Remover, r.Workers = f.registry.Remover, 9
		report := run(t, &r)
		awstest.Equal(t, "deleted images without those that got the tag release before the request", 3, report.Totals.Deleted)
	})
}

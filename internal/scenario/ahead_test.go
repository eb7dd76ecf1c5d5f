package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Planning ahead of the removals keeps the order of the limits. It ends with any number
// of workers, whenever the run is stopped, and if plans are made again.
func TestWorkComesToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range 150 {
			random := rand.New(rand.NewPCG(uint64(seed), 7))
			var p picture
			n := 1 + random.IntN(25)
			for i := range n {
				r := repository{name: fmt.Sprintf("r%02d", i)}
				for k := range 1 + random.IntN(6) {
					r.images = append(r.images, image{name: fmt.Sprint("a", i, "-", k), age: 90 * day})
				}
				p = append(p, r)
			}
			f := newQuickFixture(p)
			f.source("ecs").answer(t, "task/1 other:v2")
			var mu sync.Mutex
			stop, closed, calls, stopAt := make(chan struct{}), false, 0, random.IntN(200)
			f.journal.on(func(c recorded) {
				mu.Lock()
				d := time.Duration(random.IntN(900)) * time.Millisecond
				if random.IntN(10) == 0 {
					f.server.FailNext(c.operation, "", "ThrottlingException", 1)
				}
				if random.IntN(8) == 0 {
					f.clock.advance(4 * time.Minute)
				}
				if calls++; calls == stopAt && seed%2 == 0 && !closed {
					closed = true
					close(stop)
				}
				mu.Unlock()
				time.Sleep(d) // not real time
			})
			most := random.IntN(40)
			r := f.runner(t, configuration("expire any pushed>30", `"inUse": ["ecs"]`, fmt.Sprintf(`"limits": {"maxDeletions": %d}`, max(most, 1))))
			r.Remover, r.Workers, r.Stop = f.registry.Remover, 1+random.IntN(4), stop
			r.MaxDetails = random.IntN(10_000)
			rep := run(t, &r)
			budget, deleted := max(most, 1), 0
			for i, rr := range rep.Repositories {
				planned := len(p[i].images)
				left := len(f.server.Images(rr.Name))
				deleted += planned - left
				awstest.Equal(t, fmt.Sprintf("seed %d: %s: deleted images", seed, rr.Name), planned-left, rr.Deleted)
				switch {
				case rr.Skipped == plan.SkipDeadline && closed:
					continue
				case planned > budget:
					if rr.Skipped != plan.SkipLimit {
						t.Errorf("seed %d: %s has %d of %d left, skipped %q", seed, rr.Name, planned, budget, rr.Skipped)
					}
				default:
					budget -= planned
					if rr.Skipped != "" {
						t.Errorf("seed %d: %s is skipped %q %s with %d of %d left", seed, rr.Name, rr.Skipped, rr.Message, planned, budget)
					}
					if !closed && left > 0 {
						t.Errorf("seed %d: %s: %d of %d left, counts %+v, %q", seed, rr.Name, left, planned, rr.Counts, strings.Join(f.outcomes(&report.Report{Repositories: []report.Repository{rr}}), "\n"))
					}
					awstest.Equal(t, fmt.Sprintf("seed %d: %s: outcomes", seed, rr.Name), planned, rr.Deleted+rr.NotAttempted+rr.Changed+rr.Gone+rr.Failed+rr.Unknown)
				}
			}
			awstest.Equal(t, fmt.Sprintf("seed %d: deleted images of all repositories", seed), deleted, rep.Totals.Deleted)
		}
	})
}

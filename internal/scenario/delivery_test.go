package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// nightlyEvent is the event of the schedule. EventBridge delivers it at least once, and
// Lambda delivers it again after an error or a timeout.
const nightlyEvent = `{"id": "7bf73129-1428-4cd3-a780-95db273d1602", "detail-type": "Scheduled Event", "detail": "{\"mode\": \"apply\"}"}`

// A delivery is a process of the function that handles one event.
type delivery struct {
	function.Handler
	line   *line
	random *rand.Rand
	mu     sync.Mutex
	log    runLog
}

// deliver returns the process. Its calls take up to half a second.
func (t *trial) deliver(f *fixture, seed uint64) *delivery {
	d := &delivery{line: newLine(f.server), random: rand.New(rand.NewPCG(seed, 3))}
	cfg := awstest.Offline(&http.Client{Transport: d})
	limits := pace.Limits{Start: 1 + d.random.IntN(4), Most: 4}
	d.Handler = function.Handler{
		Configuration: t.configuration(), Now: f.clock.now, Log: function.NewLog(&d.log),
		RunID: func(context.Context) string { return fmt.Sprint("run ", seed) },
		Connect: func(context.Context) (function.Registry, error) {
			r := function.ConnectAt(cfg, limits, f.clock.now)
			r.Sources = f.inUse
			r.OwnPulls = func(context.Context) plan.OwnPulls { return plan.OwnPulls{Excluded: t.pullsAreNotRecorded} }
			return r, nil
		},
	}
	return d
}

func (d *delivery) RoundTrip(r *http.Request) (*http.Response, error) {
	d.pause()
	answer, err := d.line.RoundTrip(r)
	d.pause()
	return answer, err
}

func (d *delivery) pause() {
	d.mu.Lock()
	took := time.Duration(d.random.Int64N(int64(250 * time.Millisecond)))
	d.mu.Unlock()
	time.Sleep(took)
}

// repeats is the number of random registries that several runs clean.
func repeats() int {
	if testing.Short() || awstest.Race {
		return 60
	}
	return 300
}

// drawSteady draws a registry in which one run has the same result as several runs, and
// in which ECR refuses no image.
func drawSteady(random *rand.Rand) *trial {
	t := generate(random)
	t.loosen(random)
	clear(t.refused)
	return &t
}

// newFixture returns the registry of the trial before any run.
func (t *trial) newFixture(tb testing.TB) *fixture {
	tb.Helper()
	f := newQuickFixture(t.picture)
	f.server.ExcludePulls(t.pullsAreNotRecorded)
	t.answer(tb, f)
	return f
}

// handle handles the event in each process. The processes start within a few seconds.
func handle(t *testing.T, random *rand.Rand, deliveries ...*delivery) []*report.Report {
	t.Helper()
	reports := make([]*report.Report, len(deliveries))
	var running sync.WaitGroup
	for i, d := range deliveries {
		later := time.Duration(i) * time.Duration(random.Int64N(int64(4*time.Second)))
		running.Go(func() {
			time.Sleep(later)
			r, err := d.Handle(t.Context(), json.RawMessage(nightlyEvent))
			if err != nil {
				t.Errorf("run %d: %v", i, err)
				r = &report.Report{}
			}
			reports[i] = r
		})
	}
	running.Wait()
	return reports
}

// die handles the event in a process that is killed at one of its calls or cannot list
// the registry. It reports whether that happened.
func (t *trial) die(tb testing.TB, f *fixture, random *rand.Rand, seed uint64) (died bool) {
	tb.Helper()
	d := t.deliver(f, seed)
	if random.IntN(8) == 0 {
		f.server.FailNext("DescribeRepositories", "", "AccessDeniedException", 1)
		_, err := d.Handle(tb.Context(), json.RawMessage(nightlyEvent))
		return err != nil
	}
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	d.line.at, d.line.ofRemoval = 1+random.IntN(3), random.IntN(4) > 0
	d.line.then = func() { close(d.line.cut); d.log.kill(0); cancel(); died = true }
	_, _ = d.Handle(ctx, json.RawMessage(nightlyEvent)) // what a dead process returns
	d.line.work.Wait()
	return died
}

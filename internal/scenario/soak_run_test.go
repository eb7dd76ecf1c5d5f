package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// disturbed makes a run under faults and judges it.
func (s *soak) disturbed(t *testing.T, seen *tally) error {
	t.Helper()
	plan := s.plan(t, s.configuration())
	before := s.contents(s.trial)
	s.connect(s.fixture)
	s.drawFaults()
	s.server.Inject(s.faults)
	rate := s.limitRate()
	report, err := s.runToItsEnd(t, seen)
	s.line.work.Wait()
	if s.log.end() {
		s.cuts++
		seen.note("cut")
	}
	events := s.server.FaultEvents()
	for _, event := range events {
		seen.note("fault: " + string(event.Kind))
		if event.Vanished != "" {
			s.vanished[event.Repository+event.Vanished] = true
		}
	}
	s.server.Inject(fakeecr.Faults{})
	seen.runs++
	seen.faults += len(events)
	if rate.refusals() > 0 {
		seen.note("fault: rate")
	}
	s.connect(s.fixture)
	j := judgement{soak: s, before: before, after: s.contents(s.trial), plan: &plan, report: &report, seen: seen}
	if errors.Is(err, errLate) {
		return err
	}
	if err := errors.Join(j.judge(err), j.log()); err != nil {
		return fmt.Errorf("%w\nstruck: %v\nreported were\n%s\n%s", err, events,
			strings.Join(s.outcomes(&report), "\n"), strings.Join(skips(&report), "\n"))
	}
	if s.ending != "" && report.Incomplete {
		seen.ended++
	}
	return nil
}

// runToItsEnd applies the configuration and ends the run at a random time.
func (s *soak) runToItsEnd(t *testing.T, seen *tally) (report.Report, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := make(chan struct{})
	r := s.runner(t, s.configuration())
	s.runID = fmt.Sprintf("run %x", s.random.Uint64())
	r.Remover, r.Stop, r.RunID, r.Log = s.registry.Remover, stop, s.runID, function.NewLog(&s.log)
	rest := pick(s.random, 0, s.random.IntN(600))
	end := map[string]func(){
		"":        func() {},
		"stopped": func() { close(stop) },
		"cut":     cancel,
		"late":    func() {},
		"killed":  func() { close(s.line.cut); s.log.kill(rest); cancel() }, // no call goes out that is not in the log
	}
	s.ending = pick(s.random, "", "stopped", "cut", "killed", "late")
	s.line.then = end[s.ending]
	if s.ending == "late" {
		return s.runToADeadline(ctx, &r, seen)
	}
	switch s.random.IntN(4) {
	case 0:
		timer := time.AfterFunc(time.Duration(s.random.Int64N(int64(time.Minute))), s.line.then)
		defer timer.Stop()
	case 1:
		s.line.at = 1 + s.random.IntN(12)
	default:
		s.line.at, s.line.ofRemoval = 1+s.random.IntN(4), true
	}
	return r.Run(ctx)
}

// runToADeadline gives the run a time limit, like the programs. The run must end before.
func (s *soak) runToADeadline(ctx context.Context, r *cleaner.Runner, seen *tally) (report.Report, error) {
	deadline, cancel := context.WithTimeout(ctx, time.Duration(1+s.random.Int64N(int64(2*time.Minute))))
	defer cancel()
	run, stop, end := function.Limit(deadline, time.Now())
	defer end()
	r.Stop = stop
	report, err := r.Run(run)
	if deadline.Err() != nil {
		return report, errLate
	}
	if report.Incomplete {
		seen.note("deadline")
	}
	return report, err
}

var errLate = errors.New("the run has not ended before its deadline")

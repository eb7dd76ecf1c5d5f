package scenario_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// disturbed makes a run under faults and judges it.
func (s *soak) disturbed(t *testing.T, seen *tally) error {
	t.Helper()
	plan := s.plan(t, s.configuration())
	before := s.contents(s.trial)
	s.connect(s.world)
	s.drawFaults()
	s.server.Inject(s.faults)
	report, err := s.runToItsEnd(t)
	s.line.work.Wait()
	events := s.server.FaultEvents()
	for _, event := range events {
		if event.Vanished != "" {
			s.vanished[event.Repository+event.Vanished] = true
		}
	}
	s.server.Inject(fakeecr.Faults{})
	seen.runs++
	seen.faults += len(events)
	s.connect(s.world)
	j := judgement{soak: s, before: before, after: s.contents(s.trial), plan: &plan, report: &report, seen: seen}
	if err := j.judge(err); err != nil {
		return fmt.Errorf("%w\nstruck: %v\nreported were\n%s\n%s", err, events,
			strings.Join(s.outcomes(&report), "\n"), strings.Join(skips(&report), "\n"))
	}
	if s.ending != "" && report.Incomplete {
		seen.ended++
	}
	return nil
}

// runToItsEnd applies the configuration and ends the run when its time has
// come.
func (s *soak) runToItsEnd(t *testing.T) (cleaner.Report, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := make(chan struct{})
	r := s.runner(t, s.configuration())
	r.Remover, r.Stop = s.registry.Remover, stop
	r.PullsExcluded = onceInBubble(s.registry.PullsExcluded)
	end := map[string]func(){
		"":        func() {},
		"stopped": func() { close(stop) },
		"cut":     cancel,
		"killed":  func() { cancel(); close(s.line.cut) },
	}
	s.ending = pick(s.random, "", "stopped", "cut", "killed")
	s.line.then = end[s.ending]
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

// onceInBubble asks once, as the programs do, but has others wait in a way that
// lets the bubble's time go on.
func onceInBubble(ask func(context.Context) bool) func(context.Context) bool {
	turn := make(chan struct{}, 1)
	var asked, excluded bool
	return func(ctx context.Context) bool {
		turn <- struct{}{}
		defer func() { <-turn }()
		if !asked {
			asked, excluded = true, ask(ctx)
		}
		return excluded
	}
}

// drawFaults draws what goes wrong with up to 30 % of the calls: of all, or of
// those that describe and remove, so that more runs come that far.
func (s *soak) drawFaults() {
	operations := []string{"DescribeImages", "BatchDeleteImage", "UpdateImageStorageClass"}
	if s.random.IntN(2) == 0 {
		operations = append(operations, "DescribeRepositories", "BatchGetImage", "GetLifecyclePolicy", "GetRepositoryPolicy")
		if !s.pullsAreNotRecorded { // else the answer decides which pulls of indexes count
			operations = append(operations, "ListPullTimeUpdateExclusions")
		}
	}
	s.faults = fakeecr.Faults{
		Seed: s.random.Uint64(), Delay: pick(s.random, time.Second, 5*time.Second, 15*time.Second, 2*time.Minute),
		Rules: []fakeecr.FaultRule{{Kind: fakeecr.ShortPage, Operation: "DescribeImages", Probability: 0.3 * s.random.Float64()}},
	}
	kinds := 1 + s.random.IntN(5)
	rate := pick(s.random, 0.3, 0.3*s.random.Float64()) / float64(kinds)
	for range kinds {
		kind := pick(s.random, faultKinds...)
		for _, operation := range operations {
			s.faults.Rules = append(s.faults.Rules, fakeecr.FaultRule{Kind: kind, Operation: operation, Probability: rate})
		}
	}
}

var faultKinds = []fakeecr.FaultKind{
	fakeecr.Throttled, fakeecr.ServerError, fakeecr.BadGateway, fakeecr.Reset, fakeecr.LostAnswer, fakeecr.LateWork,
	fakeecr.SlowAnswer, fakeecr.CutAnswer, fakeecr.TruncatedJSON, fakeecr.EmptyAnswer, fakeecr.HTMLAnswer, fakeecr.WrongContentType,
	fakeecr.EmptyPage, fakeecr.RepeatedPage, fakeecr.OverlappingPage, fakeecr.RepeatedToken, fakeecr.ExpiredToken,
	fakeecr.RefusedImages, fakeecr.VanishedImage,
}

package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/progress"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	records "github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// steps plays the function with 3 places and 2 registries. The second registry takes two runs,
// and the first one fails.
type steps struct {
	store records.Store
	mu    sync.Mutex
	asked map[string]int
	modes map[config.Mode]bool
}

func (s *steps) answer(ctx context.Context, text json.RawMessage) (any, error) {
	var e event
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modes[e.Mode] = true
	one, two := config.Place{Account: "1", Region: "r"}, config.Place{Account: "2", Region: "r"}
	put := func(name string, v any) error {
		content, _ := json.Marshal(v)
		return s.store.Put(ctx, name, content)
	}
	switch e.Step {
	case config.StepTargets:
		return records.TargetsAnswer{CycleAnswer: records.CycleAnswer{Cycle: 1}}, errors.Join(
			put(records.PlacesName(e.Execution), []config.Place{one, two, {Account: "3", Region: "r"}}),
			put(records.RegistriesName(e.Execution, 1), []records.Item{{Place: one}, {Place: two}}))
	case config.StepBarrier:
		return records.BarrierAnswer{}, nil
	case config.StepNext:
		return records.CycleAnswer{Cycle: 2}, nil
	case config.StepJudge:
		return records.JudgeAnswer{}, put(e.Execution+"/report.json", records.Report{Version: 1, Targets: []records.TargetEnd{
			{Account: "1", Region: "r", Outcome: records.Failed, Message: "it has no outcome"}, {Account: "2", Region: "r", Outcome: records.Done},
		}})
	}
	s.asked[fmt.Sprint(e.Mode, " ", e.Target)]++
	switch {
	case e.Mode == config.References:
		return records.PlaceAnswer{}, nil
	case *e.Target == one:
		return nil, errors.New("assume role: denied")
	}
	again := e.Continuation == nil
	return records.RegistryAnswer{Again: again, Continuation: &config.Continuation{Round: 2}}, nil
}

func TestPlanPlaysEveryStep(t *testing.T) {
	t.Parallel()
	s := &steps{store: records.NewMemory(), asked: map[string]int{}, modes: map[config.Mode]bool{}}
	p := &player{
		Flags: &session.Flags{Env: env.Env{Progress: &progress.Line{}}}, answer: s.answer, store: s.store,
		execution: "e", concurrency: 2, failed: map[string]string{},
	}
	r, err := p.play(t.Context(), nil)
	awstest.NoError(t, err)
	awstest.Equal(t, "asked", map[string]int{"references 1/r": 1, "references 2/r": 1, "references 3/r": 1, "plan 1/r": 1, "plan 2/r": 2}, s.asked)
	awstest.Equal(t, "modes", map[config.Mode]bool{config.Plan: true, config.References: true}, s.modes)
	awstest.Equal(t, "message", "assume role: denied", r.Targets[0].Message)
}

package function

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// A Fleet is what requests of executions of the fleet's state machine need.
type Fleet struct {
	Store fleet.Store
	// Running returns the name of another execution that runs and has begun before the given
	// one, or "". Nil means that there is none.
	Running func(ctx context.Context, execution string) (string, error)
}

var (
	errExecution = errors.New("it is of an execution of the fleet; send it to the function of deploy/fleet.yaml")
	errNoUnit    = errors.New(`it has "execution" and neither "step" nor "target"; add one of them`)
)

// execution carries out a request of the fleet's state machine.
func (h *Handler) execution(ctx context.Context, request config.Request) (any, error) {
	if h.Fleet == nil {
		return nil, &RequestError{errExecution}
	}
	all, hash, err := h.configuration(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case request.Step == config.StepTargets:
		return h.targets(ctx, request, all, hash)
	case request.Step == config.StepBarrier:
		return h.barrier(ctx, request, all)
	case request.Step == config.StepNext:
		return h.next(ctx, request)
	case request.Step == config.StepJudge:
		return h.judge(ctx, request)
	case request.Target == nil:
		return nil, &RequestError{errNoUnit}
	case request.Mode == config.References:
		return h.place(ctx, request, all)
	}
	return h.registry(ctx, request, all, hash)
}

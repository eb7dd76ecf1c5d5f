package function

import (
	"context"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// barrier carries out step barrier.
func (h *Handler) barrier(ctx context.Context, request config.Request, all config.Config) (fleet.BarrierAnswer, error) {
	t, err := fleet.ReadTargets(ctx, h.Fleet.Store, request.Execution)
	if err != nil {
		return fleet.BarrierAnswer{}, err
	}
	used, err := fleet.ReadUsed(ctx, h.Fleet.Store, t, request.Cycle)
	if err != nil {
		return fleet.BarrierAnswer{}, err
	}
	b := fleet.NewBarrier(t, request.Cycle, used, h.Now().UTC(), listsMaxAge(all))
	return fleet.BarrierAnswer{Listed: len(t.Places) - len(b.Failed), Failed: len(b.Failed)}, fleet.WriteBarrier(ctx, h.Fleet.Store, b)
}

// listsMaxAge returns the age beyond which the lists of an execution do not count.
func listsMaxAge(c config.Config) time.Duration {
	return time.Duration(c.Fleet.ListsMaxAgeMinutes) * time.Minute
}

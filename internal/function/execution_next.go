package function

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// next carries out step next.
func (h *Handler) next(ctx context.Context, request config.Request) (fleet.CycleAnswer, error) {
	left, err := fleet.Next(ctx, h.Fleet.Store, request.Execution, request.Cycle)
	return h.cycleAnswer(request.Execution, request.Cycle+1, left), err
}

// cycleAnswer returns the keys of the items for the maps of the cycle.
func (h *Handler) cycleAnswer(execution string, cycle, registries int) fleet.CycleAnswer {
	return fleet.CycleAnswer{
		Cycle: cycle, RegistriesLeft: registries, PlacesKey: fleet.Key(h.Fleet.Store, fleet.PlacesName(execution)),
		RegistriesKey: fleet.Key(h.Fleet.Store, fleet.RegistriesName(execution, cycle)),
	}
}

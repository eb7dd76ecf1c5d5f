package function

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// next carries out step next.
func (h *Handler) next(_ context.Context, _ config.Request, _ config.Config) (fleet.CycleAnswer, error) {
	return fleet.CycleAnswer{}, errNotBuilt
}

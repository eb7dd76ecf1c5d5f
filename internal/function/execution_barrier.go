package function

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// barrier carries out step barrier.
func (h *Handler) barrier(_ context.Context, _ config.Request, _ config.Config) (fleet.BarrierAnswer, error) {
	return fleet.BarrierAnswer{}, errNotBuilt
}

package function

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// place writes what one place uses.
func (h *Handler) place(_ context.Context, _ config.Request, _ config.Config) (fleet.PlaceAnswer, error) {
	return fleet.PlaceAnswer{}, errNotBuilt
}

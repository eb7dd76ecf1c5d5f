package function

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// registry carries out one run for a registry.
func (h *Handler) registry(_ context.Context, _ config.Request, _ config.Config, _ string) (fleet.RegistryAnswer, error) {
	return fleet.RegistryAnswer{}, errNotBuilt
}

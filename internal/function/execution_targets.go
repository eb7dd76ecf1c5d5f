package function

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// targets carries out step targets.
func (h *Handler) targets(_ context.Context, _ config.Request, _ config.Config, _ string) (fleet.TargetsAnswer, error) {
	return fleet.TargetsAnswer{}, errNotBuilt
}

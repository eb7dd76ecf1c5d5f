package function

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// judge carries out step judge.
func (h *Handler) judge(_ context.Context, _ config.Request) (fleet.JudgeAnswer, error) {
	return fleet.JudgeAnswer{}, errNotBuilt
}

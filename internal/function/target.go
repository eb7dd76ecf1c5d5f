package function

import (
	"context"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// target connects to the registry of a target. In mode apply, the role that removes images
// reads them, and the other one asks which are in use.
func (h *Handler) target(ctx context.Context, p config.Place, mode config.Mode, access config.Access) (Registry, error) {
	if mode != config.Apply {
		return h.targetAs(ctx, p, mode, access)
	}
	remover, err := h.targetAs(ctx, p, mode, access)
	if err != nil {
		return Registry{}, err
	}
	reader, err := h.targetAs(ctx, p, config.Plan, access)
	remover.Sources = reader.Sources
	return remover, err
}

// targetAs connects to the registry of a target with the role for the mode.
func (h *Handler) targetAs(ctx context.Context, p config.Place, mode config.Mode, access config.Access) (Registry, error) {
	role := Role{Place: p, ARN: access.RoleARN, ExternalID: access.ExternalID, Session: h.RunID(ctx)}
	if mode == config.Apply {
		if role.ARN = access.ApplyRoleARN; role.ARN == "" {
			return Registry{}, &ConfigurationError{fmt.Errorf("configuration: targets: that for %s has no applyRoleArn, which mode apply assumes; add it", p)}
		}
	}
	return h.assume(ctx, role)
}

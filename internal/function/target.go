package function

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// alone returns the configuration of a target for a run outside an execution. Each part with
// in-use services gets the places of all other targets, because they may use the images too.
// Nothing but an execution knows the accounts of an organization, so mode apply is an error.
func alone(run, all config.Config, p config.Place, mode config.Mode) (config.Config, error) {
	if _, found := all.OrganizationTarget(); found && mode == config.Apply {
		return run, &ConfigurationError{fmt.Errorf("configuration: targets: only an execution knows the accounts of the organization, which may use images of %s; "+
			"run ecrclean fleet apply --targets %s", p, p)}
	}
	var others []config.Account
	var regions []string
	for _, q := range all.Places() {
		asked, access, err := all.Asked(q)
		switch {
		case err != nil:
			return run, &ConfigurationError{err}
		case q.Account != p.Account:
			others = append(others, config.Account{RoleARN: access.RoleARN, ExternalID: access.ExternalID, Regions: []string{q.Region}, InUse: asked.Protect.InUse})
		case q.Region != p.Region:
			regions = append(regions, q.Region)
		}
	}
	run.Policies = slices.Clone(run.Policies)
	parts := []*config.Protect{&run.Protect}
	for i := range run.Policies {
		parts = append(parts, &run.Policies[i].Protect)
	}
	for _, part := range parts {
		if len(part.InUse)+len(part.Accounts) > 0 {
			part.Accounts, part.Regions = others, regions
		}
	}
	return run, nil
}

func (h *Handler) assume(ctx context.Context, role Role) (Registry, error) {
	if h.Assume == nil {
		return Registry{}, errors.New("this program assumes no roles; send the request to the function of deploy/fleet.yaml")
	}
	return h.Assume(ctx, role)
}

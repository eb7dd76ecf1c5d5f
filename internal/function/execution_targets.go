package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/organization"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// targets carries out step targets. A second request of the execution gets the first answer.
func (h *Handler) targets(ctx context.Context, request config.Request, all config.Config, hash string) (fleet.TargetsAnswer, error) {
	listed, err := fleet.ReadTargets(ctx, h.Fleet.Store, request.Execution)
	switch {
	case err == nil && listed.Suits(request.Mode) != nil:
		return fleet.TargetsAnswer{}, &RequestError{listed.Suits(request.Mode)}
	case err == nil:
		return h.writeTargets(ctx, listed)
	case !errors.Is(err, fleet.ErrMissing):
		return fleet.TargetsAnswer{}, err
	}
	if h.Fleet.Running != nil {
		running, err := h.Fleet.Running(ctx, request.Execution)
		if err != nil || running != "" {
			return fleet.TargetsAnswer{Execution: request.Execution, Running: running}, err
		}
	}
	listed = fleet.Targets{Execution: request.Execution, Mode: request.Mode, Start: h.Now().UTC(), Configuration: hash}
	l := listing{Targets: &listed, handler: h, config: all}
	if err := l.list(ctx, request.Targets); err != nil {
		return fleet.TargetsAnswer{}, err
	}
	return h.writeTargets(ctx, listed)
}

func (h *Handler) writeTargets(ctx context.Context, t fleet.Targets) (fleet.TargetsAnswer, error) {
	t, err := fleet.WriteTargets(ctx, h.Fleet.Store, t)
	if err != nil {
		return fleet.TargetsAnswer{}, err
	}
	return fleet.TargetsAnswer{
		Execution: t.Execution, Act: true, Registries: len(t.Registries), Places: len(t.Places), Skipped: len(t.Skipped),
		CycleAnswer: h.cycleAnswer(t.Execution, 1, len(t.Registries)),
	}, nil
}

// A listing makes the list of targets.
type listing struct {
	*fleet.Targets
	handler *Handler
	config  config.Config
}

func (l listing) list(ctx context.Context, selected []wildcard.Pattern) error {
	if len(l.config.Targets) == 0 {
		return &ConfigurationError{errors.New("configuration: it has no targets; add targets, the registries of the fleet")}
	}
	l.Places, l.Skipped = l.config.Places(), []fleet.Skipped{}
	for _, t := range l.config.Targets {
		if t.Organization == nil {
			l.add(&l.Registries, t.Account, t.Regions)
		}
	}
	if t, found := l.config.OrganizationTarget(); found {
		if err := l.addOrganization(ctx, t); err != nil {
			return err
		}
	}
	for _, list := range []*[]config.Place{&l.Registries, &l.Places} {
		slices.SortFunc(*list, func(a, b config.Place) int { return strings.Compare(a.String(), b.String()) })
		*list = slices.Compact(*list)
	}
	if err := l.narrow(selected); err != nil {
		return err
	}
	l.skipDisabled(ctx)
	slices.SortFunc(l.Skipped, func(a, b fleet.Skipped) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region))
	})
	if len(l.Registries) == 0 {
		var reasons []string
		for _, s := range l.Skipped[:min(len(l.Skipped), 5)] {
			reasons = append(reasons, strings.TrimSuffix(s.Account+"/"+s.Region, "/")+": "+s.Reason)
		}
		return &ConfigurationError{fmt.Errorf("configuration: targets: no registry is left to clean: %s; correct targets",
			cmp.Or(strings.Join(reasons, "; "), "no account is in the units"))}
	}
	return l.checkRoles()
}

func (*listing) add(list *[]config.Place, account string, regions []string) {
	for _, region := range regions {
		*list = append(*list, config.Place{Account: account, Region: region})
	}
}

// addOrganization adds the places of all accounts, and the registries of those in the units.
// An account that cannot be used is skipped, also if a target names it.
func (l listing) addOrganization(ctx context.Context, t config.Target) error {
	o, err := l.organization(ctx, t)
	if err != nil {
		return &RegistryError{fmt.Errorf("targets: organization: %w", err)}
	}
	complete, excluded := true, map[string]bool{}
	for _, id := range t.Organization.Exclude {
		excluded[id] = true
	}
	for _, a := range o.Accounts {
		if !a.Known() {
			l.warn(ctx, fmt.Sprintf("account %s has the state %q, which is not known; it is asked and cleaned", a.ID, a.State))
		}
		isIt := func(p config.Place) bool { return p.Account == a.ID }
		switch state := a.Unusable(); {
		case state != "":
			l.Places, l.Registries = slices.DeleteFunc(l.Places, isIt), slices.DeleteFunc(l.Registries, isIt)
			l.skip(a.ID, "", "the account is "+state)
		case !excluded[a.ID]:
			l.add(&l.Places, a.ID, t.AskedRegions())
			if o.InUnits[a.ID] {
				l.add(&l.Registries, a.ID, t.Regions)
			}
		case !slices.ContainsFunc(l.Places, isIt):
			complete = false // its uses are not known
			l.skip(a.ID, "", "it is in organization.exclude")
		default: // another target or protect.accounts has the account, perhaps in fewer Regions
			for _, region := range t.AskedRegions() {
				complete = complete && slices.Contains(l.Places, config.Place{Account: a.ID, Region: region})
			}
		}
		delete(excluded, a.ID)
	}
	for id := range excluded {
		return &ConfigurationError{fmt.Errorf("configuration: targets: organization.exclude: %s is no account of organization %s; correct it", id, o.ID)}
	}
	if complete {
		l.Organization = o.ID
	}
	return nil
}

func (l listing) organization(ctx context.Context, t config.Target) (organization.Organization, error) {
	arn := t.Organization.RoleARN
	registry, err := l.handler.assume(ctx, Role{
		Place: config.Place{Account: strings.Split(arn, ":")[4], Region: t.Regions[0]}, ARN: arn,
		ExternalID: t.Organization.ExternalID, Session: l.Execution,
	})
	if err != nil {
		return organization.Organization{}, err
	}
	return organization.List(ctx, registry.AWS, l.handler.Now, t.Organization.Units)
}

func (l listing) skip(account, region, reason string) {
	l.Skipped = append(l.Skipped, fleet.Skipped{Account: account, Region: region, Reason: reason})
}

func (l listing) warn(ctx context.Context, problem string) {
	l.handler.Log.WarnContext(ctx, "suspicious", slog.String("document", "organization"), slog.String("problem", problem))
}

// narrow keeps the registries that a pattern selects.
func (l listing) narrow(selected []wildcard.Pattern) error {
	if selected == nil {
		return nil
	}
	names := make([]string, len(l.Registries))
	for i, p := range l.Registries {
		names[i] = p.String()
	}
	for i := range selected {
		if !selected[i].MatchesAny(names) {
			return &RequestError{fmt.Errorf("targets: %q selects no registry%s; correct the request, or targets of the configuration",
				selected[i], nearest.Hint(selected[i].String(), names))}
		}
	}
	l.Registries = slices.DeleteFunc(l.Registries, func(p config.Place) bool { return !wildcard.MatchAny(selected, p.String()) })
	return nil
}

// skipDisabled skips the Regions that an account reports as disabled. The fleet asks all
// other Regions; a disabled one then fails.
func (l listing) skipDisabled(ctx context.Context) {
	optIn := map[string]config.Place{}
	for _, p := range l.Places {
		if organization.IsOptIn(p.Region) {
			optIn[p.Account] = p
		}
	}
	places := make([]config.Place, 0, len(optIn))
	for _, p := range optIn {
		places = append(places, p)
	}
	var mu sync.Mutex
	disabled := map[config.Place]string{}
	_ = query.Each(ctx, places, func(ctx context.Context, p config.Place) error {
		regions, err := l.disabledRegions(ctx, p)
		if err != nil {
			l.warn(ctx, fmt.Sprintf("which Regions are disabled in account %s is not known, all are asked: %v", p.Account, err))
		}
		mu.Lock()
		defer mu.Unlock()
		for region, status := range regions {
			disabled[config.Place{Account: p.Account, Region: region}] = status
		}
		return nil
	}) // after an error no Region of the account is skipped
	isDisabled := func(p config.Place) bool { return disabled[p] != "" && organization.IsOptIn(p.Region) }
	for _, p := range l.Places {
		if isDisabled(p) {
			l.skip(p.Account, p.Region, "the Region is "+disabled[p]+" in the account")
		}
	}
	l.Places, l.Registries = slices.DeleteFunc(l.Places, isDisabled), slices.DeleteFunc(l.Registries, isDisabled)
}

func (l listing) disabledRegions(ctx context.Context, p config.Place) (map[string]string, error) {
	_, access, err := l.config.Asked(p)
	if err != nil {
		return nil, err
	}
	registry, err := l.handler.assume(ctx, Role{Place: p, ARN: access.RoleARN, ExternalID: access.ExternalID, Session: l.Execution})
	if err != nil {
		return nil, err
	}
	return organization.DisabledRegions(ctx, registry.AWS, l.handler.Now)
}

// checkRoles returns an error if mode apply lacks a role.
func (l listing) checkRoles() error {
	for _, p := range l.Registries {
		_, access, err := l.config.ForTarget(p)
		if err == nil && l.Mode == config.Apply && access.ApplyRoleARN == "" {
			err = fmt.Errorf("configuration: targets: that for %s has no applyRoleArn, which mode apply assumes; add it", p)
		}
		if err != nil {
			return &ConfigurationError{err}
		}
	}
	return nil
}

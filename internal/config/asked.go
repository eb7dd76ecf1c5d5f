package config

import (
	"slices"
	"strings"
)

// AskedRegions returns the Regions in which the target's accounts are asked what they use:
// those of the registries, and protect.regions.
func (t Target) AskedRegions() []string {
	regions := slices.Concat(t.Regions, t.Config.InUse().Regions)
	slices.Sort(regions)
	return slices.Compact(regions)
}

// OrganizationTarget returns the target for an organization. There is at most one.
func (c Config) OrganizationTarget() (t Target, found bool) {
	for _, t := range c.Targets {
		if t.Organization != nil {
			return t, true
		}
	}
	return Target{}, false
}

// Places returns the places that are asked what they use, without those of an organization,
// sorted: the accounts of the targets, and those in protect.accounts.
func (c Config) Places() []Place {
	places := []Place{}
	for _, t := range c.Targets {
		if t.Organization == nil {
			for _, region := range t.AskedRegions() {
				places = append(places, Place{t.Account, region})
			}
		}
	}
	for _, a := range c.AskedAccounts() {
		for _, region := range a.Regions {
			places = append(places, Place{a.ID(), region})
		}
	}
	slices.SortFunc(places, func(a, b Place) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(places)
}

// AskedAccounts returns the accounts in protect.accounts of all targets. One without Regions
// gets those of the target's registries.
func (c Config) AskedAccounts() []Account {
	var all Protect
	for _, t := range c.Targets {
		accounts := t.Config.InUse().Accounts
		for i := range accounts {
			if len(accounts[i].Regions) == 0 {
				accounts[i].Regions = t.Regions
			}
		}
		all.addAccounts(accounts)
	}
	return all.Accounts
}

// Asked returns the configuration for an in-use scan at the place alone, and the reading role.
// It is that of the target for the account, of the account in protect.accounts, or of the
// organization, in this order. A target's account is asked for the services of all targets,
// one in protect.accounts for its own. The error is a [*TargetError].
func (c Config) Asked(p Place) (Config, Access, error) {
	var access Access
	settings := Protect{References: []string{}, RegistryAliases: c.Protect.RegistryAliases}
	for _, t := range c.Targets {
		settings.addServices(t.Config.InUse())
	}
	services := settings.InUse
	settings.InUse, settings.ECS.FamilyDays = []string{}, 0 // a list does not say when a family was used
	role := func(a Access) {
		if access.RoleARN == "" {
			access = Access{RoleARN: a.RoleARN, ExternalID: a.ExternalID}
		}
	}
	for _, t := range c.Targets {
		if t.Account == p.Account && slices.Contains(t.AskedRegions(), p.Region) {
			role(t.In(p.Account))
			settings.InUse = append(settings.InUse, services...)
		}
	}
	for _, a := range c.AskedAccounts() {
		if a.ID() == p.Account && slices.Contains(a.Regions, p.Region) {
			role(Access{RoleARN: a.RoleARN, ExternalID: a.ExternalID})
			settings.InUse = append(settings.InUse, a.InUse...)
		}
	}
	t, found := c.OrganizationTarget()
	if found && !slices.Contains(t.Organization.Exclude, p.Account) && slices.Contains(t.AskedRegions(), p.Region) {
		role(t.In(p.Account))
		settings.InUse = append(settings.InUse, services...)
	}
	if access.RoleARN == "" {
		return Config{}, Access{}, &TargetError{p}
	}
	slices.Sort(settings.InUse)
	settings.InUse = slices.Compact(settings.InUse)
	c.Protect, c.Policies, c.Targets = settings, nil, nil
	return c, access, nil
}

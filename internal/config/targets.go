package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Place is a Region of an account.
type Place struct {
	Account string `json:"account"` // 12 digits
	Region  string `json:"region"`
}

// String returns a text such as 222222222222/eu-west-1, as protect.expect has it.
func (p Place) String() string { return p.Account + "/" + p.Region }

// A Target names registries that the fleet cleans: those of one account or of the accounts of
// an organization, in these Regions.
type Target struct {
	Account      string        `json:"account,omitempty"` // 12 digits, or empty for an organization
	Organization *Organization `json:"organization,omitempty"`
	Regions      []string      `json:"regions"` // at least one
	Access
	// Config is the configuration for these registries: the general one, in which the fields of
	// the target replace those of the same name. It has no targets.
	Config *Config `json:"config"`
}

// Access names the roles of an account. In the ARNs of an organization's target, * stands in
// place of the account.
type Access struct {
	RoleARN      string `json:"roleArn"`                // reads
	ApplyRoleARN string `json:"applyRoleArn,omitempty"` // reads and removes; only mode apply uses it
	ExternalID   string `json:"externalId,omitempty"`   // that the trust policies of both ask for
}

// In returns the access with the account in place of *.
func (a Access) In(account string) Access {
	a.RoleARN = strings.Replace(a.RoleARN, "::*:", "::"+account+":", 1)
	a.ApplyRoleARN = strings.Replace(a.ApplyRoleARN, "::*:", "::"+account+":", 1)
	return a
}

// An Organization says which accounts of an AWS organization are targets.
type Organization struct {
	// RoleARN is a role in the management account or a delegated administrator, which lists
	// the accounts. If it is empty, the function's own role does.
	RoleARN    string `json:"roleArn,omitempty"`
	ExternalID string `json:"externalId,omitempty"`
	// Units are the ids of roots and organizational units, with all units below them. None
	// means the whole organization. Accounts outside the units are only asked what they use.
	Units []string `json:"units,omitempty"`
	// Exclude has accounts that are neither cleaned nor asked.
	Exclude []string `json:"exclude,omitempty"`
}

// Fleet has the settings of executions of the fleet's state machine.
type Fleet struct {
	// ListsMaxAgeMinutes is the maximum age of what an execution knows about images in use.
	ListsMaxAgeMinutes int `json:"listsMaxAgeMinutes"`
	// MaxRounds is the maximum number of runs of one execution for one registry.
	MaxRounds int `json:"maxRounds"`
}

// A Continuation says where the next run for a registry begins, after a run that its time
// ended. It has no names.
type Continuation struct {
	Round int `json:"round"` // the number of the next run, from 2
	// First is the position where the first run began, and Cursor that of the first repository
	// which is not handled. A position is 16 hexadecimal digits of the hash of a name.
	First  string `json:"first"`
	Cursor string `json:"cursor"`
	// Done has the positions from Cursor on that are handled; no more than run at a time.
	Done []string `json:"done,omitempty"`
	// Left is how many images may still be removed: by the general maxDeletions, then by that
	// of each entry with its own, in their order.
	Left []int `json:"left"`
	// Configuration is the hash of the configuration of the run before.
	Configuration string `json:"configuration"`
}

// A Step of an execution is a request that concerns all registries.
type Step string

// The steps of an execution in their order.
const (
	StepTargets Step = "targets" // lists the registries and the places to ask
	StepBarrier Step = "barrier" // reads which places have a list
	StepNext    Step = "next"    // lists the registries that need a new cycle
	StepJudge   Step = "judge"   // writes the report of the fleet
)

// A TargetError says that the configuration names no such target.
type TargetError struct{ Place Place }

func (e *TargetError) Error() string {
	return fmt.Sprintf("target: the configuration has no target for %s; add the account and Region to targets, or correct the request", e.Place)
}

// ForTarget returns the configuration for the registry at the place, and the roles. An entry
// of targets for the account precedes that for the organization. The error is a [*TargetError].
func (c Config) ForTarget(p Place) (Config, Access, error) {
	for _, organization := range []bool{false, true} {
		for _, t := range c.Targets {
			if organization == (t.Organization != nil) && t.covers(p) {
				return t.Config.at(c), t.In(p.Account), nil
			}
		}
	}
	return Config{}, Access{}, &TargetError{p}
}

// at returns the configuration of a target with the general fields that no target has.
func (c Config) at(general Config) Config {
	c.Mode, c.Price, c.Fleet, c.Report = general.Mode, general.Price, general.Fleet, general.Report
	return c
}

func (t Target) covers(p Place) bool {
	if !slices.Contains(t.Regions, p.Region) {
		return false
	}
	if t.Organization != nil {
		return !slices.Contains(t.Organization.Exclude, p.Account)
	}
	return t.Account == p.Account
}

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
	settings.InUse = []string{}
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

// readTargets reads the targets. General reads the configuration without targets again, with
// the fields of the object in place of those of the same name.
func readTargets(v *jsondoc.Value, general func(jsondoc.Object) *Config) []Target {
	var targets []Target
	items, _ := v.Array()
	for _, item := range items {
		o, ok := item.Object("account", "organization", "regions", "roleArn", "applyRoleArn", "externalId",
			"repositories", "policies", "protect", "orphans", "onExpire", "limits")
		if !ok {
			continue
		}
		t := Target{Config: general(o)}
		set(&t.Account, o.Get("account"), func(v *jsondoc.Value, _ string) string { s, _ := v.String(); return s })
		set(&t.Organization, o.Get("organization"), readOrganization)
		set(&t.Regions, o.Get("regions"), readRegions)
		if regions := o.Get("regions"); regions != nil && len(t.Regions) == 0 && !regions.Faulty() {
			regions.Problem("is empty; name the Regions of the registries")
		}
		set(&t.RoleARN, o.Get("roleArn"), like(anyRoleARN, "arn:aws:iam::222222222222:role/ecr-cleaner-reader"))
		set(&t.ApplyRoleARN, o.Get("applyRoleArn"), like(anyRoleARN, "arn:aws:iam::222222222222:role/ecr-cleaner-remover"))
		set(&t.ExternalID, o.Get("externalId"), readExternalID)
		targets = append(targets, t)
	}
	return targets
}

var anyRoleARN = expression(`^arn:aws[a-z-]*:iam::([0-9]{12}|\*):role/[\w+=,.@/-]+$`)

func readOrganization(v *jsondoc.Value, _ *Organization) *Organization {
	var organization Organization
	o, ok := v.Object("roleArn", "externalId", "units", "exclude")
	if !ok {
		return &organization
	}
	set(&organization.RoleARN, o.Get("roleArn"), like(roleARN, "arn:aws:iam::111111111111:role/ecr-cleaner-organization"))
	set(&organization.ExternalID, o.Get("externalId"), readExternalID)
	set(&organization.Units, o.Get("units"), func(v *jsondoc.Value, _ []string) []string { s, _ := v.Strings(); return s })
	set(&organization.Exclude, o.Get("exclude"), func(v *jsondoc.Value, _ []string) []string { s, _ := v.Strings(); return s })
	return &organization
}

func readFleet(v *jsondoc.Value, f Fleet) Fleet {
	if o, ok := v.Object("listsMaxAgeMinutes", "maxRounds"); ok {
		set(&f.ListsMaxAgeMinutes, o.Get("listsMaxAgeMinutes"), between(5, 24*60))
		set(&f.MaxRounds, o.Get("maxRounds"), between(1, 1000))
	}
	return f
}

// A FleetRequest is the part of a request that an execution of the fleet sends.
type FleetRequest struct {
	Execution    string // the name of the execution; empty for other requests
	Step         Step   // empty for the request of one registry or place
	Cycle        int    // of the lists, from 1
	Continuation *Continuation
	Targets      []wildcard.Pattern // places that step targets selects, such as 222222222222/*; nil is all
}

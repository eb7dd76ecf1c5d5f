package config

import (
	"fmt"
	"slices"
	"strings"
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

// Access names the roles of an account. In the ARNs, * stands in place of the account.
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
	// the accounts.
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

// IsZero reports whether the settings are the defaults, which are not part of the hash.
func (f Fleet) IsZero() bool { return f == defaultFleet }

var defaultFleet = Fleet{ListsMaxAgeMinutes: 60, MaxRounds: 40}

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

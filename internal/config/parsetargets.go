package config

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// readTargets reads the targets with the general configuration c, which was read from general.
func (c Config) readTargets(v *jsondoc.Value, general jsondoc.Object) []Target {
	var targets []Target
	seen, organization := map[Place]bool{}, false
	items, _ := v.Array()
	for _, item := range items {
		o, ok := item.Object("account", "organization", "regions", "roleArn", "applyRoleArn", "externalId",
			"repositories", "policies", "protect", "orphans", "onExpire", "limits")
		if !ok {
			continue
		}
		t := Target{Config: c.withTarget(item, o, general)}
		t.read(item, o)
		for _, region := range t.Regions {
			p := Place{t.Account, region}
			if seen[p] && t.Organization == nil && !item.Faulty() {
				item.Problem("is a second target for %s; keep one", p)
			}
			seen[p] = true
		}
		if t.Organization != nil && organization {
			item.Problem("is a second organization; keep one")
		}
		organization = organization || t.Organization != nil
		targets = append(targets, t)
	}
	return targets
}

// withTarget returns the configuration in which the fields of own, the object of item, replace
// those of general. Policies of general inherit the target's settings.
func (c Config) withTarget(item *jsondoc.Value, own, general jsondoc.Object) *Config {
	set(&c.Repositories, own.Get("repositories"), readRepositories)
	c.Settings.read(own)
	refuseGeneral(own.Get("protect"))
	policies, inherited := own.Get("policies"), general.Get("policies")
	switch {
	case policies != nil:
		c.Policies = readEntries(policies, c.Settings)
	case slices.ContainsFunc([]string{"protect", "orphans", "onExpire", "limits"}, func(name string) bool { return own.Get(name) != nil }):
		faulty := inherited.Faulty()
		c.Policies = readEntries(inherited, c.Settings)
		if !faulty && inherited.Faulty() {
			item.Problem(`does not suit the general policies, as the problems there say; give it "policies" of its own`)
		}
	}
	return &c
}

// read reads the fields that say which registries they are.
func (t *Target) read(item *jsondoc.Value, o jsondoc.Object) {
	set(&t.Account, o.Get("account"), like(accountID, "222222222222"))
	set(&t.Organization, o.Get("organization"), readOrganization)
	switch {
	case o.Get("account") != nil && t.Organization != nil:
		item.Problem(`has "account" and "organization"; keep one, and make a target of its own for the other`)
	case o.Get("account") == nil && t.Organization == nil:
		item.Problem(`names no account; add "account", or "organization" for the accounts of an organization`)
	}
	set(&t.Regions, o.Get("regions"), readRegions)
	regions := o.RequireBecause("regions", `add the Regions of its registries, such as ["eu-west-1"]`)
	if regions != nil && len(t.Regions) == 0 && !regions.Faulty() {
		regions.Problem(`is empty; name the Regions of its registries, such as "eu-west-1"`)
	}
	o.RequireBecause("roleArn", "add the ARN of the role in that account that reads")
	set(&t.RoleARN, o.Get("roleArn"), t.readRole)
	set(&t.ApplyRoleARN, o.Get("applyRoleArn"), t.readRole)
	if reads := t.In(t.Account); reads.ApplyRoleARN != "" && reads.ApplyRoleARN == reads.RoleARN && !item.Faulty() {
		o.Get("applyRoleArn").Problem(`is the role in "roleArn"; name another role, which may remove images, or leave it out`)
	}
	set(&t.ExternalID, o.Get("externalId"), readExternalID)
}

var anyRoleARN = expression(`^arn:aws[a-z-]*:iam::([0-9]{12}|\*):role/[\w+=,.@/-]+$`)

// readRole reads the ARN of a role in the account. With * instead of an account, it is in the
// account that is cleaned, as all roles of an organization's target are.
func (t *Target) readRole(v *jsondoc.Value, _ string) string {
	example := "arn:aws:iam::*:role/ecr-cleaner-reader"
	arn := like(anyRoleARN, example)(v, "")
	if !anyRoleARN().MatchString(arn) {
		return arn
	}
	switch account := strings.Split(arn, ":")[4]; {
	case account == "*":
	case t.Organization != nil:
		v.Problem("is in account %s; a role of an organization is in each account: write * instead, as in %s", account, example)
	case account != t.Account && accountID().MatchString(t.Account):
		v.Problem("is in account %s; name a role in the target's account %s", account, t.Account)
	}
	return arn
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
var unitID = expression(`^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$`)

func readOrganization(v *jsondoc.Value, _ *Organization) *Organization {
	var organization Organization
	o, ok := v.Object("roleArn", "externalId", "units", "exclude")
	if !ok {
		return &organization
	}
	o.RequireBecause("roleArn", "add the ARN of the role that lists the accounts, which deploy/fleet-organization.yaml creates")
	set(&organization.RoleARN, o.Get("roleArn"), like(roleARN, "arn:aws:iam::111111111111:role/ecr-cleaner-organization"))
	set(&organization.ExternalID, o.Get("externalId"), readExternalID)
	set(&organization.Units, o.Get("units"), listOf(like(unitID, "ou-ab12-34cd56ef")))
	if units := o.Get("units"); units != nil && len(organization.Units) == 0 && !units.Faulty() {
		units.Problem("is empty; leave it out for the whole organization")
	}
	set(&organization.Exclude, o.Get("exclude"), listOf(like(accountID, "222222222222")))
	return &organization
}

func readFleet(v *jsondoc.Value, f Fleet) Fleet {
	if o, ok := v.Object("listsMaxAgeMinutes", "maxRounds"); ok {
		set(&f.ListsMaxAgeMinutes, o.Get("listsMaxAgeMinutes"), between(5, 24*60))
		set(&f.MaxRounds, o.Get("maxRounds"), between(1, 1000))
	}
	return f
}

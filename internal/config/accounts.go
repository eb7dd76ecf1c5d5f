package config

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// An Account is another account that is queried for images in use, through a role in it.
type Account struct {
	RoleARN    string   `json:"roleArn"`
	ExternalID string   `json:"externalId,omitempty"` // that the role's trust policy asks for
	Regions    []string `json:"regions,omitempty"`    // none means the Region of the registry
	InUse      []string `json:"inUse"`                // the services, as in protect.inUse
}

// ID returns the account's 12 digits.
func (a Account) ID() string { return strings.Split(a.RoleARN, ":")[4] }

// SourceIn returns the name of the in-use source for a service in another place: a Region of
// the registry's account, or an account and Region such as 222222222222/eu-west-1.
func SourceIn(service, place string) string { return service + "@" + place }

// IsPrefix reports whether an entry of references is not a list but the beginning of the keys
// of one list for each account and Region.
func IsPrefix(reference string) bool {
	return strings.HasPrefix(reference, "s3://") && strings.HasSuffix(reference, "/")
}

// elsewhere returns the names of the sources in other Regions and accounts.
func (p Protect) elsewhere() []string {
	var sources []string
	for _, region := range p.Regions {
		for _, service := range p.InUse {
			sources = append(sources, SourceIn(service, region))
		}
	}
	for _, a := range p.Accounts {
		for _, region := range a.Regions {
			for _, service := range a.InUse {
				sources = append(sources, SourceIn(service, a.ID()+"/"+region))
			}
		}
	}
	return sources
}

// Covered returns the other accounts whose uses a source finds, and whether a list of
// references may have the uses of any account.
func (p Protect) Covered() (accounts []string, anyAccount bool) {
	for _, a := range p.Accounts {
		accounts = append(accounts, a.ID())
	}
	for _, place := range p.Expect {
		account, _, _ := strings.Cut(place, "/")
		accounts = append(accounts, account)
	}
	return accounts, slices.ContainsFunc(p.References, func(reference string) bool { return !IsPrefix(reference) })
}

// InRegion returns the configuration for a registry in the Region: accounts without Regions
// get it, and protect.regions loses it. InRegion does not modify the receiver.
func (c Config) InRegion(region string) Config {
	c.Protect = c.Protect.inRegion(region)
	c.Policies = slices.Clone(c.Policies)
	for i := range c.Policies {
		c.Policies[i].Protect = c.Policies[i].Protect.inRegion(region)
	}
	return c
}

func (p Protect) inRegion(region string) Protect {
	p.Accounts = slices.Clone(p.Accounts)
	for i := range p.Accounts {
		if len(p.Accounts[i].Regions) == 0 {
			p.Accounts[i].Regions = []string{region}
		}
	}
	p.Regions = slices.DeleteFunc(slices.Clone(p.Regions), func(other string) bool { return other == region })
	return p
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var (
	roleARN    = expression(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$`)
	externalID = expression(`^[\w+=,.@:/-]{2,}$`)
	regionName = expression(`^[a-z]+(-[a-z0-9]+)+-[0-9]+$`)
	place      = expression(`^[0-9]{12}/[a-z]+(-[a-z0-9]+)+-[0-9]+$`)
)

// IsPlace reports whether the text is like 222222222222/eu-west-1.
func IsPlace(text string) bool { return place().MatchString(text) }

// expression returns a regular expression that is compiled when it is needed, because most
// configurations need none.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// like returns a reader of a string that the pattern must match.
func like(pattern func() *regexp.Regexp, example string) func(*jsondoc.Value, string) string {
	return func(v *jsondoc.Value, _ string) string {
		s, ok := v.String()
		if ok && !pattern().MatchString(s) {
			v.Problem("must be like %s, is %s", example, jsondoc.Quote(s))
		}
		return s
	}
}

// listOf returns a reader of a list of different strings.
func listOf(read func(*jsondoc.Value, string) string) func(*jsondoc.Value, []string) []string {
	return func(v *jsondoc.Value, _ []string) []string {
		list := []string{}
		items, _ := v.Array()
		for _, item := range items {
			s := read(item, "")
			if s != "" && slices.Contains(list, s) {
				item.Problem("is repeated; keep one")
			}
			list = append(list, s)
		}
		return list
	}
}

var (
	readRegions = listOf(like(regionName, "eu-west-1"))
	readExpect  = listOf(like(place, "222222222222/eu-west-1"))
)

// readExternalID reads an external ID. A problem does not repeat it, because logs have problems.
func readExternalID(v *jsondoc.Value, _ string) string {
	s, ok := v.String()
	if ok && (!externalID().MatchString(s) || len(s) > 1224) {
		v.Problem("must be 2 to 1224 letters, digits or characters of _+=,.@:/-")
	}
	return s
}

func readAccounts(v *jsondoc.Value, _ []Account) []Account {
	accounts, seen := []Account{}, map[string]bool{}
	items, _ := v.Array()
	for _, item := range items {
		var a Account
		o, ok := item.Object("roleArn", "externalId", "regions", "inUse")
		if !ok {
			continue
		}
		if o.Get("roleArn") == nil {
			item.Problem(`has no "roleArn"; add the ARN of the role in that account`)
		}
		set(&a.RoleARN, o.Get("roleArn"), like(roleARN, "arn:aws:iam::222222222222:role/ecr-cleaner-member"))
		set(&a.ExternalID, o.Get("externalId"), readExternalID)
		set(&a.Regions, o.Get("regions"), readRegions)
		set(&a.InUse, o.Get("inUse"), readInUse)
		if regions := o.Get("regions"); regions != nil && len(a.Regions) == 0 && !regions.Faulty() {
			regions.Problem("is empty; leave it out for the Region of the registry")
		}
		if !roleARN().MatchString(a.RoleARN) {
			continue
		}
		if seen[a.ID()] {
			item.Problem("is a second role in account %s; keep one, with all regions and services", a.ID())
		}
		seen[a.ID()] = true
		accounts = append(accounts, a)
	}
	return accounts
}

// checkRoles adds a problem if two parts of the configuration name different roles in an
// account: one scan queries an account through one role.
func checkRoles(policies *jsondoc.Value, parts []Protect) {
	first := map[string]Account{}
	for _, p := range parts {
		for _, a := range p.Accounts {
			before, found := first[a.ID()]
			if found && policies != nil && (before.RoleARN != a.RoleARN || before.ExternalID != a.ExternalID) {
				policies.Problem("name more than one role or external ID for account %s; give it the same ones everywhere", a.ID())
				return
			}
			first[a.ID()] = a
		}
	}
}

// checkTargetRoles is checkRoles for the parts of all targets: an execution asks an account once.
func (c *Config) checkTargetRoles(targets, policies *jsondoc.Value) {
	var parts []Protect
	for _, t := range c.Targets {
		parts = append(parts, t.Config.protects()...)
	}
	if !policies.Faulty() {
		checkRoles(targets, parts)
	}
}

// checkPlaces gives accounts without services those of InUse, and checks Expect against the
// prefix in References.
func (p *Protect) checkPlaces(o jsondoc.Object) {
	p.Accounts = slices.Clone(p.Accounts)
	accounts, regions := o.Get("accounts"), o.Get("regions")
	for i := range p.Accounts {
		a := &p.Accounts[i]
		if a.InUse == nil {
			a.InUse = p.InUse
		}
		if accounts != nil && len(a.InUse) == 0 && !accounts.Faulty() {
			accounts.Problem(`has no service to query in account %s; name one in its "inUse", or remove the account`, a.ID())
		}
	}
	if regions != nil && len(p.Regions) > 0 && len(p.InUse) == 0 {
		regions.Problem("has no service to query; name one in protect.inUse, or leave it out")
	}
	prefixes := 0
	for _, reference := range p.References {
		if IsPrefix(reference) {
			prefixes++
		}
	}
	references, expect := o.Get("references"), o.Get("expect")
	switch {
	case prefixes > 0 && len(p.Expect) == 0 && references != nil:
		references.Problem(`has a prefix, and protect.expect names no list that must be there; add "expect": ["222222222222/eu-west-1"]`)
	case prefixes > 0 && len(p.Expect) == 0 && expect != nil && !expect.Faulty():
		expect.Problem(`names no list that must be there, and protect.references has a prefix; name one, such as "222222222222/eu-west-1"`)
	case prefixes > 1 && references != nil:
		references.Problem("has more than one prefix; keep one")
	case prefixes == 0 && len(p.Expect) > 0 && expect != nil:
		expect.Problem("is of no use without a prefix such as s3://bucket/prefix/ in protect.references; add it")
	}
}

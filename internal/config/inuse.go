package config

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// KubeconfigSource is the name of the in-use source for [Protect.Kubeconfig].
const KubeconfigSource = "kubeconfig"

// FleetSource is the name of the in-use source for [Protect.FleetLists].
const FleetSource = "fleet"

// WithFleetLists returns the configuration in which the lists of an execution replace all
// services that are asked. A part that asks none stays as it is.
func (c Config) WithFleetLists() Config {
	c.Protect = c.Protect.withFleetLists()
	c.Policies = slices.Clone(c.Policies)
	for i := range c.Policies {
		c.Policies[i].Protect = c.Policies[i].Protect.withFleetLists()
	}
	return c
}

func (p Protect) withFleetLists() Protect {
	p.FleetLists = len(p.InUse)+len(p.Accounts) > 0
	p.InUse, p.Regions, p.Accounts = []string{}, nil, nil
	return p
}

// Sources returns the names of the in-use sources: the services, here and elsewhere, the lists
// of references and, with a Kubeconfig, [KubeconfigSource]. Call it after [Config.InRegion].
func (p Protect) Sources() []string {
	sources := slices.Concat(p.InUse, p.elsewhere(), p.Lists())
	if p.Kubeconfig != nil {
		sources = append(sources, KubeconfigSource)
	}
	if p.FleetLists {
		sources = append(sources, FleetSource)
	}
	return sources
}

// Lists returns the names of the sources that are lists of references. For a prefix these are
// itself, for lists that nothing expects, and one for each place that protect.expect names.
func (p Protect) Lists() []string {
	var sources []string
	for _, reference := range p.References {
		sources = append(sources, reference)
		if IsPrefix(reference) {
			for _, place := range p.Expect {
				sources = append(sources, reference+place)
			}
		}
	}
	return sources
}

// InUse returns the settings of one in-use scan for all parts of the configuration: every
// service and list once, the greatest number of revisions, and what any part queries.
func (c *Config) InUse() Protect {
	all := Protect{Kubeconfig: c.Protect.Kubeconfig}
	for _, p := range c.protects() {
		all.References = append(all.References, p.References...)
		all.Regions = append(all.Regions, p.Regions...)
		all.Expect = append(all.Expect, p.Expect...)
		all.FleetLists = all.FleetLists || p.FleetLists
		all.addAccounts(p.Accounts)
		all.addServices(p)
	}
	slices.Sort(all.InUse)
	for _, list := range []*[]string{&all.InUse, &all.References, &all.Regions, &all.Expect} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return all
}

// addServices adds the services, and what is queried in them.
func (p *Protect) addServices(other Protect) {
	p.InUse = append(p.InUse, other.InUse...)
	p.TaskDefinitionRevisions = max(p.TaskDefinitionRevisions, other.TaskDefinitionRevisions)
	p.ECS = p.ECS.union(other.ECS)
	p.EKSClusters = append(p.EKSClusters, other.EKSClusters...)
	p.EKSResources = append(p.EKSResources, other.EKSResources...)
}

// addAccounts adds the accounts that are not there yet.
func (p *Protect) addAccounts(accounts []Account) {
	for _, a := range accounts {
		same := func(b Account) bool {
			return a.RoleARN == b.RoleARN && a.ExternalID == b.ExternalID && slices.Equal(a.Regions, b.Regions) && slices.Equal(a.InUse, b.InUse)
		}
		if !slices.ContainsFunc(p.Accounts, same) {
			p.Accounts = append(p.Accounts, a)
		}
	}
}

// ReferencesMaxAge returns the smallest maximum age in hours of the list, or 0.
func (c *Config) ReferencesMaxAge(location string) int {
	least := 0
	for _, p := range c.protects() {
		if hours := p.ReferencesMaxAgeHours; hours > 0 && (least == 0 || hours < least) && slices.Contains(p.References, location) {
			least = hours
		}
	}
	return least
}

// Expected returns the places whose list below the prefix any part of the configuration
// expects, and those that every part with the prefix expects.
func (c *Config) Expected(prefix string) (some, all []string) {
	parts := slices.DeleteFunc(c.protects(), func(p Protect) bool { return !slices.Contains(p.References, prefix) })
	for _, p := range parts {
		some = append(some, p.Expect...)
	}
	slices.Sort(some)
	some = slices.Compact(some)
	for _, place := range some {
		if !slices.ContainsFunc(parts, func(p Protect) bool { return !slices.Contains(p.Expect, place) }) {
			all = append(all, place)
		}
	}
	return some, all
}

// protects returns the general protect and that of each entry.
func (c *Config) protects() []Protect {
	all := []Protect{c.Protect}
	for i := range c.Policies {
		all = append(all, c.Policies[i].Protect)
	}
	return all
}

// inUseSources are the services whose references can protect images.
var inUseSources = []string{
	"ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild", "bedrock-agentcore", "emr-serverless",
}

func readInUse(v *jsondoc.Value, _ []string) []string {
	sources := []string{}
	items, _ := v.Array()
	for _, item := range items {
		if s, ok := jsondoc.OneOf(item, inUseSources...); ok {
			sources = append(sources, s)
		}
	}
	return sources
}

// readKubeconfig reads the path of a file, or an object with the path and contexts.
func readKubeconfig(v *jsondoc.Value, _ *Kubeconfig) *Kubeconfig {
	k := Kubeconfig{Contexts: []string{}}
	if v.IsString() {
		k.Path, _ = v.String()
		return &k
	}
	if o, ok := v.Object("path", "contexts"); ok {
		set(&k.Path, o.Get("path"), func(v *jsondoc.Value, _ string) string { s, _ := v.String(); return s })
		set(&k.Contexts, o.Get("contexts"), func(v *jsondoc.Value, _ []string) []string { s, _ := v.Strings(); return s })
	}
	return &k
}

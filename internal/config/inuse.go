package config

import "slices"

// KubeconfigSource is the name of the in-use source for [Protect.Kubeconfig].
const KubeconfigSource = "kubeconfig"

// Sources returns the names of the in-use sources: the services, the lists of references
// and, with a Kubeconfig, [KubeconfigSource].
func (p Protect) Sources() []string {
	sources := slices.Concat(p.InUse, p.References)
	if p.Kubeconfig != nil {
		sources = append(sources, KubeconfigSource)
	}
	return sources
}

// InUse returns the settings of one in-use scan for all parts of the configuration: every
// service and list once, the greatest number of revisions, and what any part queries.
func (c *Config) InUse() Protect {
	all := Protect{Kubeconfig: c.Protect.Kubeconfig}
	for _, p := range c.protects() {
		all.InUse = append(all.InUse, p.InUse...)
		all.References = append(all.References, p.References...)
		all.TaskDefinitionRevisions = max(all.TaskDefinitionRevisions, p.TaskDefinitionRevisions)
		all.ECS = all.ECS.union(p.ECS)
		all.EKSClusters = append(all.EKSClusters, p.EKSClusters...)
		all.EKSResources = append(all.EKSResources, p.EKSResources...)
	}
	slices.Sort(all.InUse)
	slices.Sort(all.References)
	all.InUse, all.References = slices.Compact(all.InUse), slices.Compact(all.References)
	return all
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

// protects returns the general protect and that of each entry.
func (c *Config) protects() []Protect {
	all := []Protect{c.Protect}
	for i := range c.Policies {
		all = append(all, c.Policies[i].Protect)
	}
	return all
}

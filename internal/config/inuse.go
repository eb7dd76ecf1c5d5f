package config

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

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

// inUseSources are the services whose references can protect images. The cleaner can query
// the first ones.
var inUseSources = []string{"ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild"}

const queried = 3 // the number of these first ones

func readInUse(v *jsondoc.Value, _ []string) []string {
	sources := []string{}
	items, _ := v.Array()
	for _, item := range items {
		s, ok := jsondoc.OneOf(item, inUseSources...)
		if ok {
			sources = append(sources, s)
		}
		if slices.Contains(inUseSources[queried:], s) {
			item.Warn("nothing is deleted in repositories that rely on %s, which this version cannot query; "+
				"remove it from protect.inUse, and name a list of the images that it uses in protect.references", jsondoc.Quote(s))
		}
	}
	return sources
}

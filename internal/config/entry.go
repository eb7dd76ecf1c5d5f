package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// readEntries reads the policies with the general settings as defaults.
func readEntries(v *jsondoc.Value, general Settings) []Entry {
	if v == nil {
		return []Entry{readEntry(nil, "", general)}
	}
	items, _ := v.Array()
	entries := make([]Entry, len(items))
	for i, item := range items {
		entries[i] = readEntry(item, fmt.Sprintf("policies[%d]", i), general)
	}
	return entries
}

func readEntry(v *jsondoc.Value, name string, general Settings) Entry {
	e := Default().Policies[0]
	e.Settings = general
	o, ok := v.Object("name", "repositories", "repositoryTags", "policy", "protect", "limits", "onExpire", "orphans")
	if !ok {
		return e
	}
	set(&e.Repositories, o.Get("repositories"), readSelection)
	set(&e.RepositoryTags, o.Get("repositoryTags"), readTags)
	e.readPolicy(o.Get("policy"))
	if e.Source != Attached {
		e.Name = name
	}
	set(&e.Name, o.Get("name"), readName)
	e.Settings.read(o)
	refuseGeneral(o.Get("protect"))
	e.OwnBudget = o.Get("limits").Member("maxDeletions") != nil
	return e
}

// refuseGeneral adds a problem for each field that only the general protect has.
func refuseGeneral(protect *jsondoc.Value) {
	if own := protect.Member("registryAliases"); own != nil {
		own.Problem("belongs to the general protect: a host is the same for every repository")
	}
	if own := protect.Member("kubeconfig"); own != nil {
		own.Problem("belongs to the general protect: its clusters may use the images of every repository")
	}
}

func readName(v *jsondoc.Value, fallback string) string {
	name, ok := v.String()
	if ok && name == "" {
		v.Problem("is empty; give the policy a name to find it in the report")
	}
	return cmp.Or(name, fallback)
}

// The maximum length of the tag of a repository:
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Tag.html
const (
	maxTagKey   = 128
	maxTagValue = 256
)

func readTags(v *jsondoc.Value, _ map[string]string) map[string]string {
	tags := map[string]string{}
	for key, value := range v.Members() {
		s, ok := value.String()
		if ok && (key == "" || utf8.RuneCountInString(key) > maxTagKey || utf8.RuneCountInString(s) > maxTagValue) {
			value.Problem("no repository has such a tag: its key has from 1 to %d characters, its value up to %d", maxTagKey, maxTagValue)
		}
		if ok {
			tags[key] = s
		}
	}
	if v.IsObject() && len(tags) == 0 && !v.Faulty() {
		v.Problem("is empty and asks for no tag; leave it out")
	}
	return tags
}

func (e *Entry) readPolicy(v *jsondoc.Value) {
	switch {
	case v == nil:
	case v.IsString():
		e.Source = among(Attached, None)(v, Attached)
	default:
		e.Source = Inline
		e.Policy = lifecycle.FromValue(v, lifecycle.Extended)
	}
}

// Entry returns the first entry that selects the repository, or nil if none does. Tags
// returns the tags of the repository. Entry calls it at most once, and only if needed.
func (c *Config) Entry(repository string, tags func() (map[string]string, error)) (*Entry, error) {
	tags = sync.OnceValues(tags)
	for i := range c.Policies {
		e := &c.Policies[i]
		if !wildcard.MatchAny(e.Repositories, repository) {
			continue
		}
		if len(e.RepositoryTags) == 0 {
			return e, nil
		}
		has, err := tags()
		if err != nil {
			return nil, err
		}
		if e.matchTags(has) {
			return e, nil
		}
	}
	return nil, nil //nolint:nilnil // documented: no entry selects it
}

// matchTags reports whether the tags include all RepositoryTags.
func (e *Entry) matchTags(tags map[string]string) bool {
	for key, want := range e.RepositoryTags {
		if value, there := tags[key]; !there || value != want {
			return false
		}
	}
	return true
}

// Why says why the entry selects the repository.
func (e *Entry) Why(repository string) string {
	var b strings.Builder
	for _, p := range e.Repositories {
		if p.Match(repository) {
			fmt.Fprintf(&b, "matches %s", p)
			break
		}
	}
	for i, key := range slices.Sorted(maps.Keys(e.RepositoryTags)) {
		b.WriteString([]string{" and has the tags ", ", "}[min(i, 1)] + key + "=" + e.RepositoryTags[key])
	}
	return b.String()
}

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// Entry returns the first entry that selects the repository, or nil when none
// does. Tags returns the tags of the repository; it is called once at most, and
// only when an entry that asks for tags comes before the first that selects the
// repository by its name alone. Its error is returned as it is, with no entry:
// what an entry would decide is then not known.
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

// matchTags reports whether all tags that the entry asks for are among these.
func (e *Entry) matchTags(tags map[string]string) bool {
	for key, want := range e.RepositoryTags {
		if value, there := tags[key]; !there || value != want {
			return false
		}
	}
	return true
}

// Why says in words why the entry selects the repository: the first of its
// patterns that matches, and the tags it asks for.
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

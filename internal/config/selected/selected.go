// Package selected selects the repositories of a registry while it is listed. It says which
// requested names and patterns select none.
package selected

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Selection selects repositories while the cleaner lists a registry, and records which
// requested patterns select none. It is not safe for concurrent use.
type Selection struct {
	repositories config.Repositories
	// For each requested pattern, whether it matches a listed and a selected repository.
	listed, selected []bool
	omitted          []bool   // for each omitted pattern, whether it matches a listed repository
	names            []string // of the listed repositories, if there are requested patterns
	onlyExact        bool
}

// New returns a selection before the first repository.
func New(r config.Repositories) *Selection {
	n := len(r.Requested)
	return &Selection{repositories: r, listed: make([]bool, n), selected: make([]bool, n), omitted: make([]bool, len(r.Omitted))}
}

// Exact returns the names without which the selection selects nothing: the requested patterns
// or repositories.include, if all of them are names without a star. Otherwise it returns nil.
// The names are sorted, and each is there once.
func (s *Selection) Exact() []string {
	for _, patterns := range [][]wildcard.Pattern{s.repositories.Requested, s.repositories.Include} {
		if len(patterns) > 0 && !slices.ContainsFunc(patterns, func(p wildcard.Pattern) bool { return !p.Exact() }) {
			names := lifecycle.Texts(patterns)
			slices.Sort(names)
			return slices.Compact(names)
		}
	}
	return nil
}

// OnlyExact says that the registry cannot be listed, and that only the repositories of Exact
// are known.
func (s *Selection) OnlyExact() { s.onlyExact = true }

// Whole reports whether the listed repositories are those of the whole registry.
func (s *Selection) Whole() bool { return !s.onlyExact }

// Select is [config.Repositories.Select] for a listed repository.
func (s *Selection) Select(name string) bool { return s.note(name, s.repositories.Select(name)) }

// Ask is [config.Repositories.Ask] for a listed repository. An excluded one counts as selected.
func (s *Selection) Ask(name string) bool { return s.note(name, s.repositories.Ask(name)) }

func (s *Selection) note(name string, selected bool) bool {
	if len(s.listed)+len(s.omitted) > 0 {
		s.names = append(s.names, name)
	}
	for i, pattern := range s.repositories.Requested {
		if pattern.Match(name) {
			s.listed[i] = true
			s.selected[i] = s.selected[i] || selected
		}
	}
	for i, pattern := range s.repositories.Omitted {
		s.omitted[i] = s.omitted[i] || pattern.Match(name)
	}
	return selected
}

// Err returns nil or a [*Error]. Call it after the last listed repository.
func (s *Selection) Err() error {
	e := Error{listed: s.names}
	for i, pattern := range s.repositories.Requested {
		switch {
		case !s.listed[i] && s.onlyExact && !slices.Contains(s.Exact(), pattern.String()):
			e.Unknown = append(e.Unknown, pattern)
		case !s.listed[i]:
			e.Unmatched = append(e.Unmatched, pattern)
		case !s.selected[i]:
			e.Excluded = append(e.Excluded, pattern)
		}
	}
	for i, pattern := range s.repositories.Omitted {
		if !s.omitted[i] && !s.onlyExact { // otherwise a repository may have the name
			e.Unmatched = append(e.Unmatched, pattern)
		}
	}
	if len(e.Unmatched)+len(e.Excluded)+len(e.Unknown) == 0 {
		return nil
	}
	return &e
}

// An Error says that a request names repositories that do not exist or that the
// configuration excludes.
type Error struct {
	Unmatched []wildcard.Pattern // match no repository of the registry, requested or omitted
	Excluded  []wildcard.Pattern // match only repositories that the configuration excludes
	// Unknown match no repository that the configuration names. The registry cannot be listed.
	Unknown []wildcard.Pattern

	listed []string // the names of all listed repositories
}

func (e *Error) Error() string {
	var parts []string
	if len(e.Unmatched) > 0 {
		texts := lifecycle.Texts(e.Unmatched)
		for i := range texts {
			texts[i] += e.hint(texts[i])
		}
		parts = append(parts, fmt.Sprintf("no repository matches %s; nothing was done; "+
			"check the names and the Region; ecrclean policies lists the repositories", strings.Join(texts, ", ")))
	}
	if len(e.Unknown) > 0 {
		parts = append(parts, fmt.Sprintf("no repository in repositories.include matches %s, and whether others do is not known; "+
			"nothing was done; allow the role ecr:DescribeRepositories on all repositories, or leave these out", joined(e.Unknown)))
	}
	if len(e.Excluded) > 0 {
		parts = append(parts, fmt.Sprintf("the configuration excludes all that matches %s; nothing was done; "+
			"change its repositories.include and repositories.exclude, or leave these out", joined(e.Excluded)))
	}
	return strings.Join(parts, "; ")
}

// hint suggests a listed repository, or a pattern for several that begin with the same names.
func (e *Error) hint(text string) string {
	name, below := strings.CutSuffix(text, "/*")
	prefixes := map[string]int{}
	for _, repository := range e.listed {
		for i, c := range repository {
			if c == '/' {
				prefixes[repository[:i]]++
			}
		}
	}
	maps.DeleteFunc(prefixes, func(_ string, n int) bool { return n < 2 && !below })
	known := slices.Sorted(maps.Keys(prefixes))
	if !below {
		known = append(known, e.listed...)
	}
	switch i := nearest.Index(name, known); {
	case i < 0:
		return ""
	case i < len(prefixes):
		return fmt.Sprintf(" (did you mean '%s/*'?)", known[i])
	default:
		return fmt.Sprintf(" (did you mean %s?)", known[i])
	}
}

func joined(patterns []wildcard.Pattern) string {
	return strings.Join(lifecycle.Texts(patterns), ", ")
}

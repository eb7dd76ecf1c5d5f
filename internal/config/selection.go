package config

import (
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Selection selects repositories while the cleaner lists a registry, and records which
// requested patterns select none. It is not safe for concurrent use.
type Selection struct {
	repositories Repositories
	// For each requested pattern, whether it matches a listed and a selected repository.
	listed, selected []bool
}

// Selection returns a selection before the first repository.
func (r Repositories) Selection() *Selection {
	n := len(r.Requested)
	return &Selection{repositories: r, listed: make([]bool, n), selected: make([]bool, n)}
}

// Select is [Repositories.Select] for a listed repository.
func (s *Selection) Select(name string) bool { return s.note(name, s.repositories.Select(name)) }

// Ask is [Repositories.Ask] for a listed repository. An excluded one counts as selected.
func (s *Selection) Ask(name string) bool { return s.note(name, s.repositories.Ask(name)) }

func (s *Selection) note(name string, selected bool) bool {
	for i, pattern := range s.repositories.Requested {
		if pattern.Match(name) {
			s.listed[i] = true
			s.selected[i] = s.selected[i] || selected
		}
	}
	return selected
}

// Err returns nil or a [*SelectionError]. Call it after listing the whole registry.
func (s *Selection) Err() error {
	var e SelectionError
	for i, pattern := range s.repositories.Requested {
		switch {
		case !s.listed[i]:
			e.Unmatched = append(e.Unmatched, pattern)
		case !s.selected[i]:
			e.Excluded = append(e.Excluded, pattern)
		}
	}
	if len(e.Unmatched)+len(e.Excluded) == 0 {
		return nil
	}
	return &e
}

// A SelectionError says that a request names repositories that do not exist or that the
// configuration excludes.
type SelectionError struct {
	Unmatched []wildcard.Pattern // match no repository of the registry
	Excluded  []wildcard.Pattern // match only repositories that the configuration excludes
}

func (e *SelectionError) Error() string {
	var parts []string
	if len(e.Unmatched) > 0 {
		parts = append(parts, fmt.Sprintf("no repository matches %s; nothing was done; "+
			"check the names and the Region; ecrclean policies lists the repositories", joined(e.Unmatched)))
	}
	if len(e.Excluded) > 0 {
		parts = append(parts, fmt.Sprintf("the configuration excludes all that matches %s; nothing was done; "+
			"change its repositories.include and repositories.exclude, or leave these out", joined(e.Excluded)))
	}
	return strings.Join(parts, "; ")
}

func joined(patterns []wildcard.Pattern) string {
	return strings.Join(lifecycle.Texts(patterns), ", ")
}

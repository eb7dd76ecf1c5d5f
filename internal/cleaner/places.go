package cleaner

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// places are the repositories of this registry that the uses of a scan name or may
// mean.
type places struct {
	// uses are by repository. A use that names another host than an ECR registry is in
	// each repository that its path may mean.
	uses map[string][]*inuse.Use
	// anywhere are the uses of a digest that name no repository.
	anywhere []*inuse.Use
}

// of returns the uses in the repository.
func (p places) of(repository string) []*inuse.Use {
	return slices.Concat(p.uses[repository], p.anywhere)
}

// know gives the scanner the names of the registry's repositories: all of them if whole
// is true. The scanner may be nil.
func (s *scanner) know(repositories map[string]bool, whole bool) {
	if s != nil {
		s.repositories, s.whole = repositories, whole
	}
}

// place sorts the uses by repository. It leaves out uses of ECR registries of another
// account or Region.
func (s *scanner) place(uses []inuse.Use) places {
	p := places{uses: map[string][]*inuse.Use{}}
	for i := range uses {
		use := &uses[i]
		switch ref := &use.Reference; {
		case use.Problem != "":
		case ref.RegistryID != "":
			if ref.Region == s.Region && (s.Account == "" || ref.RegistryID == s.Account) {
				p.uses[ref.Repository] = append(p.uses[ref.Repository], use)
			}
		case ref.Repository == "":
			p.anywhere = append(p.anywhere, use)
		default:
			for repository := range s.meanings(ref.Repository) {
				p.uses[repository] = append(p.uses[repository], use)
			}
		}
	}
	return p
}

// meanings yields the repositories that a path on another host may mean: the repository
// with that name, and each repository whose name is the end of the path, since a proxy
// can add a prefix.
func (s *scanner) meanings(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest, more := path, true; more; _, rest, more = strings.Cut(rest, "/") {
			if (s.repositories == nil || s.repositories[rest]) && !yield(rest) {
				return
			}
		}
	}
}

// means reports whether a path on another host may mean any repository.
func (s *scanner) means(path string) bool {
	for range s.meanings(path) {
		return true
	}
	return false
}

// unplacedLists returns a failure for each list that protects no image of any
// repository. Most likely the program that wrote such a list has failed.
func (s *scanner) unplacedLists() []inuse.Failure {
	var failures []inuse.Failure
	for _, list := range s.Lists {
		n := s.last.Elsewhere[list]
		if !s.whole || n == 0 || s.last.Counts[list] > 0 || slices.ContainsFunc(s.last.Uses, func(use inuse.Use) bool {
			return use.Source == list && s.means(use.Reference.Repository)
		}) {
			continue
		}
		failures = append(failures, inuse.Failure{Source: list, Err: fmt.Errorf(
			"none of the %s of the list names an ECR registry, or a repository here by its path; write them with the host of the registry, or map their host with protect.registryAliases",
			plural(n, "reference", "references"))})
	}
	return failures
}

package usage

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// Uses are the repositories of this registry that the uses of a scan name or may
// mean.
type Uses struct {
	// byRepository are by repository. A use that names another host than an ECR registry is in
	// each repository that its path may mean.
	byRepository map[string][]*inuse.Use
	// anywhere are the uses of a digest that name no repository.
	anywhere []*inuse.Use
}

// In returns the uses in the repository.
func (p Uses) In(repository string) []*inuse.Use {
	return slices.Concat(p.byRepository[repository], p.anywhere)
}

// SetRepositories gives the scanner the names of the registry's repositories: all of them if whole
// is true. The scanner may be nil.
func (s *Scanner) SetRepositories(repositories map[string]bool, whole bool) {
	if s != nil {
		s.repositories, s.whole = repositories, whole
	}
}

// assign sorts the uses by repository. It leaves out uses of ECR registries of another
// account or Region.
func (s *Scanner) assign(uses []inuse.Use) Uses {
	p := Uses{byRepository: map[string][]*inuse.Use{}}
	for i := range uses {
		use := &uses[i]
		switch ref := &use.Reference; {
		case use.Problem != "":
		case ref.RegistryID != "":
			if ref.Region == s.Region && (s.Account == "" || ref.RegistryID == s.Account) {
				p.byRepository[ref.Repository] = append(p.byRepository[ref.Repository], use)
			}
		case ref.Repository == "":
			p.anywhere = append(p.anywhere, use)
		default:
			for repository := range s.candidates(ref.Repository) {
				p.byRepository[repository] = append(p.byRepository[repository], use)
			}
		}
	}
	return p
}

// candidates yields the repositories that a path on another host may mean: the repository
// with that name, and each repository whose name is the end of the path, since a proxy
// can add a prefix.
func (s *Scanner) candidates(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest, more := path, true; more; _, rest, more = strings.Cut(rest, "/") {
			if (s.repositories == nil || s.repositories[rest]) && !yield(rest) {
				return
			}
		}
	}
}

// hasCandidate reports whether a path on another host may mean any repository.
func (s *Scanner) hasCandidate(path string) bool {
	for range s.candidates(path) {
		return true
	}
	return false
}

// listsElsewhere returns a failure for each list that protects no image of any
// repository. Most likely the program that wrote such a list has failed.
func (s *Scanner) listsElsewhere() []inuse.Failure {
	var failures []inuse.Failure
	for _, list := range s.Lists {
		n := s.last.Elsewhere[list]
		if !s.whole || n == 0 || s.last.Counts[list] > 0 || slices.ContainsFunc(s.last.Uses, func(use inuse.Use) bool {
			return use.Source == list && s.hasCandidate(use.Reference.Repository)
		}) {
			continue
		}
		failures = append(failures, inuse.Failure{Source: list, Err: fmt.Errorf(
			"none of the %s of the list names an ECR registry, or a repository here by its path; write them with the host of the registry, or map their host with protect.registryAliases",
			words.Count(n, "reference", "references"))})
	}
	return failures
}

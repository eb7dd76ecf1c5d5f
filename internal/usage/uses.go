package usage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// Uses are the uses of a scan that may mean an image of this registry.
type Uses struct {
	byRepository map[string][]*inuse.Use // one use may mean images of several repositories
	anywhere     []*inuse.Use            // uses of a digest that name no repository
}

// In returns the uses that may mean an image of the repository.
func (u Uses) In(repository string) []*inuse.Use {
	return slices.Concat(u.byRepository[repository], u.anywhere)
}

// sort sorts the uses by repository, and drops those of other ECR registries.
func (s *Scanner) sort(uses []inuse.Use) Uses {
	u := Uses{byRepository: map[string][]*inuse.Use{}}
	for i := range uses {
		use := &uses[i]
		switch ref := &use.Reference; {
		case use.Problem != "", use.Finding.Kind != "":
		case ref.RegistryID != "":
			if ref.Region == s.Region && (s.Account == "" || ref.RegistryID == s.Account) {
				u.byRepository[ref.Repository] = append(u.byRepository[ref.Repository], use)
			}
		case ref.Repository == "":
			u.anywhere = append(u.anywhere, use)
		default:
			for _, repository := range s.candidates(ref.Repository) {
				u.byRepository[repository] = append(u.byRepository[repository], use)
			}
		}
	}
	return u
}

// remember adds the uses of the last scan by other accounts to usedBy and usedDigests.
func (s *Scanner) remember() {
	if s.usedBy == nil {
		s.usedBy, s.usedDigests = map[[2]string]string{}, map[[2]string]string{}
	}
	for repository, uses := range s.uses.byRepository {
		for _, use := range uses {
			if use.Account != "" {
				s.usedBy[[2]string{use.Account, repository}] = cmp.Or(use.By, use.Source)
			}
		}
	}
	for _, use := range s.uses.anywhere {
		if use.Account != "" {
			s.usedDigests[[2]string{use.Account, use.Reference.Digest}] = cmp.Or(use.By, use.Source)
		}
	}
}

// candidates returns the repositories that a path on another host may mean: those whose
// name is the path or its end. A proxy can add a prefix.
func (s *Scanner) candidates(path string) []string {
	var found []string
	for rest, more := path, true; more; _, rest, more = strings.Cut(rest, "/") {
		if s.repositories == nil || s.repositories[rest] {
			found = append(found, rest)
		}
	}
	return found
}

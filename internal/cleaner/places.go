package cleaner

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
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
			if ref.Region == s.region && (s.account == "" || ref.RegistryID == s.account) {
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
	for _, list := range s.lists {
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

// A foreignHost sums up the references to a host that is no ECR registry.
type foreignHost struct {
	references, meaning int // how many, and how many of them may mean a repository
	example             *inuse.Use
	listed              bool // a list names it; lists are made for ECR registries
	last                reference.Reference
}

// doubts returns the findings about the last scan that concern no single repository.
func (s *scanner) doubts() []Finding {
	if s == nil || s.last == nil {
		return nil
	}
	hosts := map[string]*foreignHost{}
	var unread []string
	for i := range s.last.Uses {
		use := &s.last.Uses[i]
		switch {
		case !s.relied[use.Source]:
		case use.Problem != "":
			unread = append(unread, use.By+": "+use.Problem)
		case use.Reference.RegistryID == "" && use.Reference.Repository != "":
			s.count(hosts, use)
		}
	}
	findings := findingsOf(hosts, "")
	if len(unread) > 0 {
		findings = append(findings, Finding{UnreadableReference, "", fmt.Sprintf("it is not known which image %s: %s",
			plural(len(unread), "container uses", "containers use"), strings.Join(few(unread), "; "))})
	}
	return findings
}

// hostsOf returns the findings about references of the sources that name another host
// and may mean the repository.
func (s *scanner) hostsOf(repository string, sources []string) []Finding {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hosts := map[string]*foreignHost{}
	for _, use := range s.places.uses[repository] {
		if use.Reference.RegistryID == "" && slices.Contains(sources, use.Source) {
			s.count(hosts, use)
		}
	}
	return findingsOf(hosts, repository)
}

// count counts a use for its host.
func (s *scanner) count(hosts map[string]*foreignHost, use *inuse.Use) {
	h := hosts[use.Reference.Host]
	if h == nil {
		h = &foreignHost{}
		hosts[use.Reference.Host] = h
	}
	h.listed = h.listed || slices.Contains(s.lists, use.Source) && (use.Reference.Host == "" || !use.Reference.Public())
	if h.last == use.Reference {
		return // they are in order
	}
	h.last = use.Reference
	h.references++
	means := s.means(use.Reference.Repository)
	if means {
		h.meaning++
	}
	if h.example == nil || means && h.meaning == 1 {
		h.example = use
	}
}

// findingsOf returns a finding for each host. If the references to a host mean no
// repository here, only references of lists make a finding: services use images of
// public registries as well.
func findingsOf(hosts map[string]*foreignHost, repository string) []Finding {
	var findings []Finding
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[name]
		if h.meaning == 0 && !h.listed {
			continue
		}
		of, advice := "no registry host", "write them with the host of the registry"
		if name != "" {
			of, advice = "the host "+name+", which is no ECR registry", "map the host with protect.registryAliases"
		}
		findings = append(findings, Finding{UnknownRegistryHost, repository, fmt.Sprintf(
			"%s %s. %s images of the repositories here whose name is their path or the end of it; %s. One is %s, used by %s",
			plural(h.references, "reference names", "references name"), of, plural(h.meaning, "of them protects", "of them protect"), advice,
			h.example.Reference, cmp.Or(h.example.By, h.example.Source))})
	}
	return findings
}

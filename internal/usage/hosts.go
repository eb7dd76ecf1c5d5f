package usage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A foreignHost sums up the references to a host that is no ECR registry.
type foreignHost struct {
	references, meaning int // how many, and how many of them may mean a repository
	example             *inuse.Use
	listed              bool // a list names it; lists are made for ECR registries
	last                reference.Reference
}

// Findings returns the findings about the last scan that concern no single repository.
func (s *Scanner) Findings() []finding.Finding {
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
		findings = append(findings, finding.Finding{Kind: finding.UnreadableReference, Repository: "", Message: fmt.Sprintf("it is not known which image %s: %s",
			words.Count(len(unread), "container uses", "containers use"), strings.Join(words.Few(unread), "; "))})
	}
	return findings
}

// HostFindings returns the findings about references of the sources that name another host
// and may mean the repository.
func (s *Scanner) HostFindings(repository string, sources []string) []finding.Finding {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hosts := map[string]*foreignHost{}
	for _, use := range s.uses.byRepository[repository] {
		if use.Reference.RegistryID == "" && slices.Contains(sources, use.Source) {
			s.count(hosts, use)
		}
	}
	return findingsOf(hosts, repository)
}

// count counts a use for its host.
func (s *Scanner) count(hosts map[string]*foreignHost, use *inuse.Use) {
	h := hosts[use.Reference.Host]
	if h == nil {
		h = &foreignHost{}
		hosts[use.Reference.Host] = h
	}
	h.listed = h.listed || slices.Contains(s.Lists, use.Source) && (use.Reference.Host == "" || !use.Reference.Public())
	if h.last == use.Reference {
		return // they are in order
	}
	h.last = use.Reference
	h.references++
	means := s.hasCandidate(use.Reference.Repository)
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
func findingsOf(hosts map[string]*foreignHost, repository string) []finding.Finding {
	var findings []finding.Finding
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[name]
		if h.meaning == 0 && !h.listed {
			continue
		}
		of, advice := "no registry host", "write them with the host of the registry"
		if name != "" {
			of, advice = "the host "+name+", which is no ECR registry", "map the host with protect.registryAliases"
		}
		findings = append(findings, finding.Finding{Kind: finding.UnknownRegistryHost, Repository: repository, Message: fmt.Sprintf(
			"%s %s. %s images of the repositories here whose name is their path or the end of it; %s. One is %s, used by %s",
			words.Count(h.references, "reference names", "references name"), of, words.Count(h.meaning, "of them protects", "of them protect"), advice,
			h.example.Reference, cmp.Or(h.example.By, h.example.Source))})
	}
	return findings
}

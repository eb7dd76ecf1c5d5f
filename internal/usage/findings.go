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

// Results returns the number of uses of ECR images that each source had in the last scan,
// and the findings about the scan that concern no single repository. Failures of sources
// that plans need come first, those of earlier scans too. Without a scan both are nil. Call
// it after the last plan.
func (s *Scanner) Results() (counts map[string]int, findings []finding.Finding) {
	if s == nil {
		return nil, nil
	}
	s.first.Wait()
	if s.last == nil {
		return nil, nil
	}
	for _, f := range s.failed {
		if s.needed[f.Source] {
			findings = append(findings, finding.Finding{Kind: finding.ScanFailed, Message: "in-use scan: " + f.String()})
		}
	}
	var elsewhere []*inuse.Use
	var unread []string
	for i := range s.last.Uses {
		use := &s.last.Uses[i]
		switch {
		case !s.needed[use.Source]:
		case use.Finding.Kind != "":
			findings = append(findings, use.Finding)
		case use.Problem != "":
			unread = append(unread, use.By+": "+use.Problem)
		case use.Reference.RegistryID == "" && use.Reference.Repository != "":
			elsewhere = append(elsewhere, use)
		}
	}
	findings = append(findings, s.hostFindings(elsewhere, "")...)
	if len(unread) > 0 {
		findings = append(findings, finding.Finding{Kind: finding.UnreadableReference, Message: fmt.Sprintf(
			"%s an image that the cleaner cannot identify: %s",
			words.Count(len(unread), "container uses", "containers use"), strings.Join(words.Few(unread), "; "))})
	}
	return s.last.Counts, findings
}

// HostFindings returns the findings about references of the sources that name another
// host and may mean the repository.
func (s *Scanner) HostFindings(repository string, sources []string) []finding.Finding {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hostFindings(slices.DeleteFunc(slices.Clone(s.uses.byRepository[repository]), func(use *inuse.Use) bool {
		return use.Reference.RegistryID != "" || !slices.Contains(sources, use.Source)
	}), repository)
}

// An otherHost counts the references to a host that is not an ECR registry.
type otherHost struct {
	references, matching int // all, and those that may mean a repository
	example              *inuse.Use
	inList               bool // whether a list names it; lists are made for ECR registries
	last                 reference.Reference
}

// hostFindings returns a finding for each host that the uses name, in the order of the
// hosts. A host whose references mean no repository has one only if it is in a list:
// services also use images of public registries.
func (s *Scanner) hostFindings(uses []*inuse.Use, repository string) []finding.Finding {
	hosts := map[string]*otherHost{}
	for _, use := range uses {
		h := hosts[use.Reference.Host]
		if h == nil {
			h = &otherHost{}
			hosts[use.Reference.Host] = h
		}
		h.add(use, len(s.candidates(use.Reference.Repository)) > 0, slices.Contains(s.Lists, use.Source))
	}
	var findings []finding.Finding
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[name]
		if h.matching == 0 && !h.inList {
			continue
		}
		host, advice := "no registry host", "write them with the host of the registry"
		if name != "" {
			host, advice = "the host "+name+", which is not an ECR registry", "map the host with protect.registryAliases"
		}
		others := ""
		if h.matching == 0 && s.known == Allowed {
			others = "Whether they mean other repositories is not known, because the role may not list the registry. "
		}
		findings = append(findings, finding.Finding{Kind: finding.UnknownRegistryHost, Repository: repository, Message: fmt.Sprintf(
			"%s %s. %s images of repositories here, whose name is the path of the reference or its end; %s. "+
				"%sAn example is %s, used by %s",
			words.Count(h.references, "reference names", "references name"), host,
			words.Count(h.matching, "of them protects", "of them protect"), advice, others,
			h.example.Reference, cmp.Or(h.example.By, h.example.Source))})
	}
	return findings
}

// add counts a use. Uses of the same reference follow each other and count once.
func (h *otherHost) add(use *inuse.Use, matches, inList bool) {
	h.inList = h.inList || inList && (use.Reference.Host == "" || !use.Reference.Public())
	if h.last == use.Reference {
		return
	}
	h.last = use.Reference
	h.references++
	if matches {
		h.matching++
	}
	if h.example == nil || matches && h.matching == 1 {
		h.example = use
	}
}

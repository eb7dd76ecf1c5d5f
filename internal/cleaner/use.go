package cleaner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// MaxScanAge is the age beyond which an in-use scan is not relied upon to
// remove anything.
const MaxScanAge = 10 * time.Minute

// A scanner keeps the newest in-use scan of a run. It is safe for concurrent
// use.
type scanner struct {
	scan  func(context.Context) inuse.Scan
	clock func() time.Time
	// account and region are those of the registry; an empty account is any.
	account, region string

	mu   sync.Mutex
	last *inuse.Scan
	// at is when the last scan ended; a scan that takes longer than it may be
	// old would otherwise never be new.
	at     time.Time
	uses   map[string][]inuse.Use // by repository of this registry
	counts map[string]int         // the most that each source has named
}

// newest returns a scan that is not too old, made now if need be, and when it
// ended.
func (s *scanner) newest(ctx context.Context) (*inuse.Scan, map[string][]inuse.Use, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || s.clock().Sub(s.at) > MaxScanAge {
		scan := s.scan(ctx)
		s.at = s.clock()
		s.distrust(&scan)
		s.last, s.uses = &scan, map[string][]inuse.Use{}
		for _, use := range scan.Uses {
			if ref := use.Reference; ref.Region == s.region && (s.account == "" || ref.RegistryID == s.account) {
				s.uses[ref.Repository] = append(s.uses[ref.Repository], use)
			}
		}
	}
	return s.last, s.uses, s.at
}

// distrust makes a failure of a source that named uses before and names none
// now: it is more likely to be broken than to have nothing left.
func (s *scanner) distrust(scan *inuse.Scan) {
	for _, source := range slices.Sorted(maps.Keys(s.counts)) {
		if now, answered := scan.Counts[source]; answered && now == 0 && s.counts[source] > 0 {
			scan.Failed = append(scan.Failed, inuse.Failure{Source: source, Err: fmt.Errorf(
				"named %d uses before and none now; plan again if that is right", s.counts[source])})
		}
	}
	for source, n := range scan.Counts {
		s.counts[source] = max(s.counts[source], n)
	}
}

// found returns how many uses each source named, or nil when none was asked.
func (s *scanner) found() map[string]int {
	if s == nil || s.last == nil {
		return nil
	}
	return s.last.Counts
}

// A usage is what is in use in one repository.
type usage struct {
	// by names for each digest what uses it, also for the indexes above it.
	by map[string][]string
	// findings are the references that lead to no listed image.
	findings []Finding
	// at is when the scan ended that says so; zero when there was none.
	at time.Time
}

// usage returns what is in use among the contents. A skip means that a source
// which these settings rely upon did not answer or was not asked.
func (p Planner) usage(ctx context.Context, c *contents, g *graph.Graph, settings config.Protect) (usage, *Skip) {
	u := usage{by: map[string][]string{}}
	sources := slices.Concat(settings.InUse, settings.References)
	switch {
	case len(sources) == 0:
		return u, nil
	case p.scanner == nil:
		return u, &Skip{SkipScanFailed, "in-use scan: nobody was asked"}
	}
	scan, uses, at := p.scanner.newest(ctx)
	u.at = at
	for _, f := range scan.Failed {
		if slices.Contains(sources, f.Source) {
			return u, &Skip{SkipScanFailed, "in-use scan: " + f.String()}
		}
	}
	for _, use := range uses[c.repository] {
		if i := c.meant(use); i >= 0 {
			u.add(g, c.images[i].Digest, use.By)
		} else {
			u.findings = append(u.findings, Finding{UnlistedReference, c.repository, fmt.Sprintf("%s refers to %s, which is not listed", use.By, use.Reference)})
		}
	}
	if len(uses[c.repository]) == 0 {
		u.findings = append(u.findings, Finding{NothingReferences, c.repository, "nothing that was asked references an image of it"})
	}
	return u, nil
}

// meant returns the place of the image that is in use, or -1. A digest alone
// decides: its tag may have moved on.
func (c *contents) meant(use inuse.Use) int {
	if use.Reference.Digest != "" {
		return c.find(use.Reference.Digest)
	}
	return c.find(use.Reference.Tag)
}

// add notes that the image is in use, and with it the indexes that list it.
func (u *usage) add(g *graph.Graph, digest, by string) {
	for _, d := range append(g.Ancestors(digest), digest) {
		if !slices.Contains(u.by[d], by) {
			u.by[d] = append(u.by[d], by)
		}
	}
}

// protections returns what uses the image, at most a few of many.
func (u *usage) protections(digest string) []Protection {
	var protections []Protection
	for _, by := range few(u.by[digest]) {
		protections = append(protections, Protection{ByInUse, by})
	}
	return protections
}

// few returns the first names, and how many more there are.
func few(names []string) []string {
	const most = 5
	if len(names) <= most {
		return names
	}
	return append(slices.Clone(names[:most]), fmt.Sprintf("and %d more", len(names)-most))
}

// A Finding is something that a person should know and that is no failure.
type Finding struct {
	Kind       FindingKind `json:"kind"`
	Repository string      `json:"repository"`
	Message    string      `json:"message"`
}

// FindingKind tells findings apart.
type FindingKind string

// The kinds of findings.
const (
	// UnlistedReference: something references an image that is not listed.
	UnlistedReference FindingKind = "unlistedReference"
	// NothingReferences: nothing that was asked references the repository.
	NothingReferences FindingKind = "nothingReferences"
	// SharedRepository: other accounts may pull from the repository, and no
	// list says what they use.
	SharedRepository FindingKind = "sharedRepository"
	// AttachedMarksInUse: an attached policy, which ECR applies by itself,
	// marks an image that is in use.
	AttachedMarksInUse FindingKind = "attachedPolicyMarksInUse"
)

// attachedFindings names the images in use that the attached policy marks.
func (p *RepositoryPlan) attachedFindings() []Finding {
	if p.Entry == nil || p.Entry.Source != config.Attached {
		return nil
	}
	var findings []Finding
	for i := range p.Images {
		var by []string
		for _, protection := range p.Images[i].ProtectedBy {
			if protection.Kind == ByInUse {
				by = append(by, protection.By)
			}
		}
		if len(by) > 0 {
			findings = append(findings, Finding{AttachedMarksInUse, p.Repository, fmt.Sprintf(
				"ECR itself will %s %s, which is in use by %s", p.Images[i].Action, p.Images[i].Digest, strings.Join(by, ", "))})
		}
	}
	return findings
}

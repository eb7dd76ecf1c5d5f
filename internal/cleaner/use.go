package cleaner

import (
	"context"
	"fmt"
	"maps"
	"slices"
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

	// relied are the sources on which repositories rely, and first is the scan
	// that begins with the first of these.
	reliedMu sync.Mutex
	relied   map[string]bool
	first    sync.WaitGroup
}

// rely notes that a repository relies on the sources, and begins the first scan
// while its images are being listed.
func (s *scanner) rely(ctx context.Context, sources []string) {
	if s == nil || len(sources) == 0 {
		return
	}
	s.reliedMu.Lock()
	defer s.reliedMu.Unlock()
	if len(s.relied) == 0 {
		s.first.Go(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.askOnce(ctx)
		})
	}
	for _, source := range sources {
		s.relied[source] = true
	}
}

// failed returns, of the sources on which a repository relies, those that did
// not answer last, whether or not anything was to be removed.
func (s *scanner) failed() []Finding {
	if s == nil {
		return nil
	}
	s.first.Wait()
	var findings []Finding
	if s.last != nil {
		for _, f := range s.last.Failed {
			if s.relied[f.Source] {
				findings = append(findings, Finding{ScanFailed, "", "in-use scan: " + f.String()})
			}
		}
	}
	return findings
}

// newest returns a scan that is not too old, made now if need be, and when it
// ended.
func (s *scanner) newest(ctx context.Context) (*inuse.Scan, map[string][]inuse.Use, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askOnce(ctx)
	if s.clock().Sub(s.at) > MaxScanAge {
		s.ask(ctx)
	}
	return s.last, s.uses, s.at
}

// askOnce makes a scan unless there is one.
func (s *scanner) askOnce(ctx context.Context) {
	if s.last == nil {
		s.ask(ctx)
	}
}

func (s *scanner) ask(ctx context.Context) {
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

// names reports whether one of the sources named an image of the repository,
// whenever that was.
func (s *scanner) names(ctx context.Context, repository string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askOnce(ctx)
	return len(s.uses[repository]) > 0
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

// sourcesOf returns the names of the sources that the settings rely upon.
func sourcesOf(settings config.Protect) []string {
	return slices.Concat(settings.InUse, settings.References)
}

// usage returns what is in use among the contents. A skip means that a source
// which these settings rely upon did not answer or was not asked.
func (p Planner) usage(ctx context.Context, c *contents, g *graph.Graph, settings config.Protect) (usage, *Skip) {
	u := usage{by: map[string][]string{}}
	sources := sourcesOf(settings)
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
	u.addPulled(c, g, scan.At)
	used := 0
	for _, use := range uses[c.repository] {
		if !slices.Contains(sources, use.Source) || use.Revision > settings.TaskDefinitionRevisions {
			continue
		}
		used++
		if i := c.meant(use); i >= 0 {
			u.add(g, c.images[i].Digest, use.By)
		} else {
			u.findings = append(u.findings, Finding{UnlistedReference, c.repository, fmt.Sprintf("%s refers to %s, which is not listed", use.By, use.Reference)})
		}
	}
	if used == 0 {
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

// addPulled takes for in use what was pulled since the scan began: the scan may
// not know who did, and the re-check sees later pulls only.
func (u *usage) addPulled(c *contents, g *graph.Graph, began time.Time) {
	for _, im := range c.images {
		if pulled := im.LastRecordedPullTime; !pulled.IsZero() && !began.IsZero() && !pulled.Before(began) {
			u.add(g, im.Digest, "whoever pulled it since the question what is in use")
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

// few returns the first few of the texts, and how many more there are.
func few(texts []string) []string {
	const most = 5
	if len(texts) <= most {
		return texts
	}
	return append(slices.Clone(texts[:most]), fmt.Sprintf("and %d more", len(texts)-most))
}

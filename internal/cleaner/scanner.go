package cleaner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

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
	places places         // of the last scan
	counts map[string]int // the most that each source has named of ECR
	// elsewhere is the most that each source has named of other hosts.
	elsewhere map[string]int
	// repositories are the names of those of this registry, or of some if whole
	// is false; nil when none is known. Lists are the sources that are lists.
	repositories map[string]bool
	whole        bool
	lists        []string

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
func (s *scanner) newest(ctx context.Context) (*inuse.Scan, places, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askOnce(ctx)
	if s.clock().Sub(s.at) > MaxScanAge {
		s.ask(ctx)
	}
	return s.last, s.places, s.at
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
	s.last, s.places = &scan, s.place(scan.Uses)
	s.last.Failed = append(s.last.Failed, s.unplacedLists()...)
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
	return len(s.places.uses[repository])+len(s.places.anywhere) > 0
}

// distrust makes a failure of a source that named uses before and names none
// now: it is more likely to be broken than to have nothing left.
func (s *scanner) distrust(scan *inuse.Scan) {
	for _, source := range slices.Sorted(maps.Keys(s.counts)) {
		before := s.counts[source]
		if before == 0 && scan.Elsewhere[source] == 0 {
			before = s.elsewhere[source]
		}
		if now, answered := scan.Counts[source]; answered && now == 0 && before > 0 {
			scan.Failed = append(scan.Failed, inuse.Failure{Source: source, Err: fmt.Errorf(
				"named %d uses before and none now; plan again if that is right", before)})
		}
	}
	for source, n := range scan.Counts {
		s.counts[source] = max(s.counts[source], n)
		s.elsewhere[source] = max(s.elsewhere[source], scan.Elsewhere[source])
	}
}

// found returns how many uses of ECR each source named, or nil when none was asked.
func (s *scanner) found() map[string]int {
	if s == nil || s.last == nil {
		return nil
	}
	return s.last.Counts
}

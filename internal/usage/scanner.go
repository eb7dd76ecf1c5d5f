package usage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// MaxScanAge is the age beyond which an in-use scan is not relied upon to
// remove anything.
const MaxScanAge = 10 * time.Minute

// A Scanner keeps the newest in-use scan of a run. It is safe for concurrent
// use.
type Scanner struct {
	// Scan queries the in-use sources.
	Scan func(context.Context) inuse.Scan
	// Clock is the wall clock; nil means the machine's.
	Clock func() time.Time
	// Account and Region are those of the registry; an empty Account is any.
	Account, Region string
	// Lists are the names of the sources that are lists of references.
	Lists []string
	// Before are the numbers of uses that the sources named when a saved plan was made.
	Before map[string]int

	mu   sync.Mutex
	last *inuse.Scan
	// began is when the last scan asked its first question; images that came into use
	// since may be missing. Due is the time from which the age counts that triggers the
	// next scan. It is began, or the end of a scan that took too long, since another
	// scan is not likely to be faster.
	began, due clock.Stamp
	uses       Uses           // of the last scan
	counts     map[string]int // the most that each source has named of ECR
	// elsewhere is the most references to other hosts that each source has named.
	elsewhere map[string]int
	// repositories are the names of the registry's repositories, or of some of them if
	// whole is false; nil when unknown.
	repositories map[string]bool
	whole        bool

	// relied are the sources on which repositories rely, and first is the scan
	// that begins with the first of these.
	reliedMu sync.Mutex
	relied   map[string]bool
	first    sync.WaitGroup
}

// Rely notes that a repository relies on the sources, and begins the first scan
// while its images are being listed.
func (s *Scanner) Rely(ctx context.Context, sources []string) {
	if s == nil || len(sources) == 0 {
		return
	}
	s.reliedMu.Lock()
	defer s.reliedMu.Unlock()
	if len(s.relied) == 0 {
		s.relied = map[string]bool{}
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

// Failures returns, of the sources on which a repository relies, those that did
// not answer last, whether or not anything was to be removed.
func (s *Scanner) Failures() []finding.Finding {
	if s == nil {
		return nil
	}
	s.first.Wait()
	var findings []finding.Finding
	if s.last != nil {
		for _, f := range s.last.Failed {
			if s.relied[f.Source] {
				findings = append(findings, finding.Finding{Kind: finding.ScanFailed, Repository: "", Message: "in-use scan: " + f.String()})
			}
		}
	}
	return findings
}

// Newest returns a scan that is not too old, and when it began. It makes a scan if
// there is none.
func (s *Scanner) Newest(ctx context.Context) (*inuse.Scan, Uses, clock.Stamp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askOnce(ctx)
	if s.due.Age(clock.Read(s.Clock)) > MaxScanAge {
		s.ask(ctx)
	}
	return s.last, s.uses, s.began
}

// askOnce makes a scan unless there is one.
func (s *Scanner) askOnce(ctx context.Context) {
	if s.last == nil {
		s.ask(ctx)
	}
}

func (s *Scanner) ask(ctx context.Context) {
	s.began = clock.Read(s.Clock)
	bounded, cancel := context.WithTimeout(ctx, MaxScanAge)
	defer cancel()
	scan := s.Scan(bounded)
	s.due = s.began
	if ended := clock.Read(s.Clock); s.began.Age(ended) > MaxScanAge {
		s.due = ended
		failSlow(&scan, s.began.Age(ended))
	}
	s.failVanished(&scan)
	s.last, s.uses = &scan, s.assign(scan.Uses)
	s.last.Failed = append(s.last.Failed, s.listsElsewhere()...)
}

// NamesImagesOf reports whether one of the sources named an image of the repository,
// whenever that was.
func (s *Scanner) NamesImagesOf(ctx context.Context, repository string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askOnce(ctx)
	return len(s.uses.byRepository[repository])+len(s.uses.anywhere) > 0
}

// failVanished makes a failure of a source that named uses before and names none
// now: it is more likely to be broken than to have nothing left.
func (s *Scanner) failVanished(scan *inuse.Scan) {
	if s.counts == nil {
		s.counts, s.elsewhere = map[string]int{}, map[string]int{}
		maps.Copy(s.counts, s.Before)
	}
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

// Counts returns the number of uses of ECR images that each source named, or nil without
// a scan.
func (s *Scanner) Counts() map[string]int {
	if s == nil || s.last == nil {
		return nil
	}
	return s.last.Counts
}

// failSlow makes all sources of a scan fail that took too long: its first answers are
// too old by its end.
func failSlow(scan *inuse.Scan, took time.Duration) {
	err := fmt.Errorf("the in-use scan took %s and must not take longer than %s; scan fewer sources, or name lists in protect.references",
		took.Round(time.Second), MaxScanAge)
	if took == clock.Unknown {
		err = errors.New("the clock of this machine was set back during the in-use scan; run again")
	}
	for _, source := range slices.Sorted(maps.Keys(scan.Counts)) {
		scan.Failed = append(scan.Failed, inuse.Failure{Source: source, Err: err})
	}
	clear(scan.Counts)
}

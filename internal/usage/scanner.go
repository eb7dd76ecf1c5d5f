// Package usage keeps the newest in-use scan of a run. In come a function that makes a
// scan, and the names of the registry's repositories. Out come the uses that may mean an
// image of a repository, from a scan at most [MaxScanAge] old, and findings.
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
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// MaxScanAge is the age of an in-use scan beyond which it allows no removing call.
const MaxScanAge = 10 * time.Minute

// A Scanner keeps the newest in-use scan of a run. It is safe for concurrent use. It may
// be nil if there are no sources, except for Newest.
type Scanner struct {
	Scan  func(context.Context) inuse.Scan
	Clock func() time.Time // the wall clock; nil means the machine's
	// Account and Region are those of the registry; an empty Account is any.
	Account, Region string
	// Lists are the names of the sources that are lists of references.
	Lists []string
	// Before is the number of uses that each source had when a saved plan was made.
	Before map[string]int

	mu   sync.Mutex
	last *inuse.Scan
	uses Uses // of last
	// usedBy has a user in all scans by account and repository, and usedDigests by account and
	// digest for the uses that name no repository. They have no use without an account.
	usedBy, usedDigests map[[2]string]string
	// failed are the failures of all scans: a plan may rely on any of them.
	failed []inuse.Failure
	// began is when last began. Its age counts from due, which is the end of a scan that
	// took too long: another scan is unlikely to be faster.
	began, due clock.Stamp
	// counts and elsewhere are the most uses that each source has had, of ECR registries
	// and of other hosts.
	counts, elsewhere map[string]int
	repositories      map[string]bool // nil when unknown
	known             Known

	neededMu sync.Mutex
	needed   map[string]bool // the sources that plans need
	first    sync.WaitGroup  // the scan that Rely starts
}

// Known says which repositories of the registry are known.
type Known int

// The values of Known.
const (
	Named   Known = iota // those of the run, because it needs no others
	All                  // all repositories
	Allowed              // those of the run, because the role may not list the others
)

// SetRepositories sets the names of the registry's repositories. Known says which they are.
// Call it before the first scan.
func (s *Scanner) SetRepositories(repositories map[string]bool, known Known) {
	if s != nil {
		s.repositories, s.known = repositories, known
	}
}

// Rely records that a plan needs the sources. The first call starts a scan and does not
// wait for it.
func (s *Scanner) Rely(ctx context.Context, sources []string) {
	if s == nil || len(sources) == 0 {
		return
	}
	s.neededMu.Lock()
	defer s.neededMu.Unlock()
	if s.needed == nil {
		s.needed = map[string]bool{}
		s.first.Go(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.scanOnce(ctx)
		})
	}
	for _, source := range sources {
		s.needed[source] = true
	}
}

// Newest returns a scan that is not too old, its uses and when it began.
func (s *Scanner) Newest(ctx context.Context) (*inuse.Scan, Uses, clock.Stamp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanOnce(ctx)
	if s.due.Age(clock.Read(s.Clock)) > MaxScanAge {
		s.scan(ctx)
	}
	return s.last, s.uses, s.began
}

// NamesImagesOf reports whether a scan of any age has a use of an image of the
// repository.
func (s *Scanner) NamesImagesOf(ctx context.Context, repository string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanOnce(ctx)
	return len(s.uses.In(repository)) > 0
}

// UsedBy returns a user in the account that any scan of the run found to use an image of
// the repository, also if its source failed. Listed reports whether the repository has an
// image with the digest, for uses that name no repository.
func (s *Scanner) UsedBy(account, repository string, listed func(digest string) bool) (by string, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if by, found = s.usedBy[[2]string{account, repository}]; found {
		return by, true
	}
	for key, user := range s.usedDigests {
		if key[0] == account && (!found || user < by) && listed(key[1]) {
			by, found = user, true
		}
	}
	return by, found
}

func (s *Scanner) scanOnce(ctx context.Context) {
	if s.last == nil {
		s.scan(ctx)
	}
}

func (s *Scanner) scan(ctx context.Context) {
	s.began = clock.Read(s.Clock)
	limited, cancel := context.WithTimeout(ctx, MaxScanAge)
	defer cancel()
	scan := s.Scan(limited)
	s.due = s.began
	if end := clock.Read(s.Clock); s.began.Age(end) > MaxScanAge {
		s.due = end
		failSlow(&scan, s.began.Age(end))
	}
	s.failVanished(&scan)
	s.last, s.uses = &scan, s.sort(scan.Uses)
	s.remember()
	s.failUnmatchedLists(&scan)
	for _, f := range scan.Failed {
		known := func(k inuse.Failure) bool { return k.Source == f.Source && k.Account == f.Account }
		if !slices.ContainsFunc(s.failed, known) {
			s.failed = append(s.failed, f)
		}
	}
}

// failSlow fails all sources of a scan whose first responses are too old.
func failSlow(scan *inuse.Scan, took time.Duration) {
	err := fmt.Errorf("the in-use scan took %s, and the limit is %s; query fewer services in protect.inUse, "+
		"or use lists in protect.references", took.Round(time.Second), MaxScanAge)
	if took == clock.Unknown {
		err = errors.New("the clock of this machine was set back during the in-use scan; run again")
	}
	for _, source := range slices.Sorted(maps.Keys(scan.Counts)) {
		scan.Fail(source, err)
	}
	clear(scan.Counts)
}

// failVanished fails each source that had uses before and has none now. Most likely the
// source is broken.
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
			scan.Fail(source, fmt.Errorf(
				"had %s before and has none now; if that is right, plan again", words.Count(before, "use", "uses")))
		}
	}
	for source, n := range scan.Counts {
		s.counts[source] = max(s.counts[source], n)
		s.elsewhere[source] = max(s.elsewhere[source], scan.Elsewhere[source])
	}
}

// failUnmatchedLists fails each list that means no image here. Most likely the program
// that wrote it is broken.
func (s *Scanner) failUnmatchedLists(scan *inuse.Scan) {
	for _, list := range s.Lists {
		n := scan.Elsewhere[list]
		matches := func(use inuse.Use) bool {
			return use.Source == list && len(s.candidates(use.Reference.Repository)) > 0
		}
		if s.known == Named || n == 0 || scan.Counts[list] > 0 || slices.ContainsFunc(scan.Uses, matches) {
			continue
		}
		others := ""
		if s.known == Allowed {
			others = "whether they name others is not known, because the role may not list the registry: " +
				"allow it ecr:DescribeRepositories on all repositories, "
		}
		scan.Fail(list, fmt.Errorf(
			"none of the %s in the list names an ECR registry or, by its path, a repository here; "+
				"%swrite them with the host of the registry, or map their host with protect.registryAliases",
			words.Count(n, "reference", "references"), others))
	}
}

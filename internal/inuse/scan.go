package inuse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A Scan is the result of querying all sources.
type Scan struct {
	At time.Time // when the scan began; uses that began later may be missing
	// Uses are sorted by reference, each once per source, and include the uses that a
	// source named before it failed.
	Uses []Use
	// Failed are the sources that failed, in their order. Unless it is empty, no image is
	// known to be unused.
	Failed []Failure
	// Counts is the number of uses by source, without those in Elsewhere. A source that
	// failed has no entry, except one that failed for some accounts only. A source without
	// uses has the entry 0.
	Counts map[string]int
	// Elsewhere is the number of uses by source whose host is not an ECR registry. A
	// source without such uses has no entry.
	Elsewhere map[string]int
	// Accounts are those of the sources that are an [AccountSource], by source. Nil is none.
	Accounts map[string]string
	// Listed and Organization are those of the [Lister]. A scan has at most one.
	Listed       []string
	Organization string
}

// A Failure is a source that failed. The error may say what to do.
type Failure struct {
	Source string
	Err    error
	// Account is that of an [AccountSource]. If it is empty, the source may use any image.
	Account string
}

// String returns "source: error".
func (f Failure) String() string { return f.Source + ": " + f.Err.Error() }

// A Scope selects the uses that a scan keeps. The zero value keeps all.
type Scope struct {
	// Region, unless it is empty, is the Region of the registry. Uses of ECR registries in
	// other Regions are counted and not kept.
	Region  string
	Aliases reference.Aliases // a use of an alias becomes a use of its registry
}

// maxSources is how many sources are queried at the same time.
const maxSources = 48

// Run queries the sources, in their order and up to maxSources at the same time, and waits
// for all of them.
func (s Scope) Run(ctx context.Context, sources []Source, now time.Time) Scan {
	answers := make([]answer, len(sources))
	free := make(chan struct{}, maxSources)
	var wg sync.WaitGroup
	for i, source := range sources {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			answers[i] = s.query(ctx, source)
		})
	}
	wg.Wait()
	total := 0
	for _, a := range answers {
		total += len(a.uses)
	}
	scan := Scan{At: now, Uses: make([]Use, 0, total), Counts: map[string]int{}, Elsewhere: map[string]int{}}
	for i, a := range answers {
		name := sources[i].Name()
		if account := accountOf(sources[i]); account != "" {
			if scan.Accounts == nil {
				scan.Accounts = map[string]string{}
			}
			scan.Accounts[name] = account
		}
		scan.Uses = append(scan.Uses, a.uses...)
		answers[i].uses = nil // hundreds of sources would be in memory twice
		if a.err != nil && scan.fail(name, a.err) {
			continue
		}
		scan.Counts[name] += a.named
		if a.elsewhere > 0 {
			scan.Elsewhere[name] += a.elsewhere
		}
		if lister, is := sources[i].(Lister); is {
			scan.Listed, scan.Organization = lister.Listed()
		}
	}
	scan.Uses = Distinct(scan.Uses)
	return scan
}

// Fail adds a failure of the source, with its account.
func (s *Scan) Fail(source string, err error) {
	s.Failed = append(s.Failed, Failure{source, err, s.Accounts[source]})
}

// fail adds the failures of the source. It reports whether the source fails for all accounts.
func (s *Scan) fail(source string, err error) bool {
	byAccount, _ := errors.AsType[AccountsError](err)
	if len(byAccount) == 0 {
		s.Fail(source, err)
		return true
	}
	for _, account := range slices.Sorted(maps.Keys(byAccount)) {
		s.Failed = append(s.Failed, Failure{source, byAccount[account], account})
	}
	return byAccount[""] != nil
}

func accountOf(source Source) string {
	if of, is := source.(AccountSource); is {
		return of.Account()
	}
	return ""
}

// An answer is the result of one source.
type answer struct {
	uses             []Use
	err              error
	named, elsewhere int // the uses for Counts and Elsewhere, kept or not
}

func (a *answer) count(use *Use) {
	switch ref := &use.Reference; {
	case use.Problem != "", use.Finding.Kind != "": // there is no image
	case ref.RegistryID == "" && ref.Repository != "":
		a.elsewhere++
	default:
		a.named++
	}
}

// query queries one source. A panic of the source is its failure.
func (s Scope) query(ctx context.Context, source Source) (a answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a.err = fmt.Errorf("the program is faulty: %v; please report it", cause)
		}
	}()
	most := math.MaxInt
	if r, ok := source.(Repetitive); ok {
		most = r.MaxUses()
	}
	type image struct {
		reference.Reference
		account string
		all     bool
	}
	kept, texts := map[image]int{}, texts{}
	for use, err := range source.Uses(ctx) {
		if err != nil {
			a.err = err
			break
		}
		use.Source, use.Reference = source.Name(), s.Aliases.Resolve(use.Reference)
		if account := accountOf(source); account != "" {
			use.Account = account
		}
		elsewhere := s.Region != "" && use.Reference.Region != "" && use.Reference.Region != s.Region
		key := image{use.Reference, use.Account, use.AllImages}
		switch {
		case use.Finding.Kind != "", use.Family != "" && !elsewhere:
		case elsewhere || kept[key] == most:
			a.count(&use)
			continue
		default:
			kept[key]++
		}
		texts.own(&use)
		a.uses = append(a.uses, use)
	}
	a.uses = slices.Clone(Distinct(a.uses)) // without spare room, because there may be hundreds of sources
	for i := range a.uses {
		a.count(&a.uses[i])
	}
	return a
}

// texts has one copy of each text in the uses of a source. Without it, each use would keep
// the answer in memory that has its texts.
type texts map[string]string

// own replaces the texts of the use by their copies.
func (t texts) own(use *Use) {
	ref := &use.Reference
	for _, text := range []*string{
		&ref.RegistryID, &ref.Region, &ref.Host, &ref.Repository, &ref.Tag, &ref.Digest, &use.By, &use.Family,
	} {
		one, known := t[*text]
		if !known {
			one = strings.Clone(*text)
			t[one] = one
		}
		*text = one
	}
}

// Distinct sorts the uses in place, by reference, and returns them without duplicates.
func Distinct(uses []Use) []Use {
	slices.SortFunc(uses, Use.compare)
	return slices.Compact(uses)
}

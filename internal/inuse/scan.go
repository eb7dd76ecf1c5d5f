package inuse

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A Use is one image that something uses.
type Use struct {
	// Reference is the image. With a digest it is the image with that digest, even if
	// its tag has moved. Without a digest it is the image that has the tag now. Without
	// a RegistryID it is an image of another host, which may be a proxy for any
	// registry. A digest alone means the image with that digest in any repository.
	Reference reference.Reference
	// By is the user of the image: the ARN of a task, a service, a service revision, a
	// task definition, a function version or an alias. For an entry of a list it is the
	// ARN that the list has, or else the name of the list and the line.
	By string
	// Source is the name of the source that says so, which Run fills in.
	Source string
	// Revision is 0, or the image is in use only as one that the newest
	// revisions of a task definition family name: 1 is the newest.
	Revision int
	// Runs is true when a running container, or the current revision of a service, uses
	// the image by its tag. Then the Reference has the digest that was recorded for the
	// tag, or none if none was recorded.
	Runs bool
	// Problem says why it is not known which image is used; then Reference is zero.
	// Otherwise it is empty.
	Problem string
}

func (u Use) compare(other Use) int {
	return cmp.Or(u.Reference.Compare(other.Reference), cmp.Compare(u.By, other.By),
		cmp.Compare(u.Source, other.Source), cmp.Compare(u.Revision, other.Revision),
		cmp.Compare(u.Problem, other.Problem), compareBools(u.Runs, other.Runs))
}

// compareBools orders false before true.
func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// A Source is one place to ask for uses. It must be safe for concurrent use
// and must not give up quietly: a sequence that does not end with an error is
// complete.
type Source interface {
	// Name tells the source from all others: the entry of protect.inUse or of
	// protect.references.
	Name() string
	// Uses yields the uses in no particular order, some perhaps more than
	// once. The first error ends the sequence. What was yielded before it is
	// right, but not all there is.
	Uses(ctx context.Context) iter.Seq2[Use, error]
}

// A Scan is what all sources said at one time.
type Scan struct {
	// At is when the first question was asked. What began to be used
	// thereafter may be missing.
	At time.Time
	// Uses are in the order of their references, each once for every source
	// that names it. Those that a source named before it failed are among them.
	Uses []Use
	// Failed are the sources that did not answer, in the order in which they
	// were given. Unless it is empty, nothing is known to be unused.
	Failed []Failure
	// Counts is the number of uses that each source named, without the uses in
	// Elsewhere. A source that failed has no entry. A source that named no image has the
	// entry 0.
	Counts map[string]int
	// Elsewhere is the number of uses that name another host than an ECR registry, or no
	// host, by source. A source without such uses has no entry.
	Elsewhere map[string]int
}

// A Failure is a source that did not answer, and why. The error says what to
// do about it where that is known: which action to allow, or which entry of
// the configuration to take out.
type Failure struct {
	Source string
	Err    error
}

// String returns "source: error".
func (f Failure) String() string { return f.Source + ": " + f.Err.Error() }

// A Scope selects the uses that a scan keeps. The zero value keeps all.
type Scope struct {
	// Region, unless it is empty, is the Region of the registry. Uses of ECR registries
	// of other Regions are counted and not kept.
	Region string
	// Aliases are the other names of ECR registries. A use that names one becomes a use
	// of that ECR registry.
	Aliases reference.Aliases
}

// Run asks all sources at the same time and waits for all of them. Now is the
// time at which it is called.
func (s Scope) Run(ctx context.Context, sources []Source, now time.Time) Scan {
	answers := make([]answer, len(sources))
	var wg sync.WaitGroup
	for i, source := range sources {
		wg.Go(func() { answers[i] = s.ask(ctx, source) })
	}
	wg.Wait()
	scan := Scan{At: now, Counts: map[string]int{}, Elsewhere: map[string]int{}}
	for i, a := range answers {
		name := sources[i].Name()
		scan.Uses = append(scan.Uses, a.uses...)
		if a.err != nil {
			scan.Failed = append(scan.Failed, Failure{name, a.err})
			continue
		}
		scan.Counts[name] += a.named
		if a.elsewhere > 0 {
			scan.Elsewhere[name] += a.elsewhere
		}
	}
	scan.Uses = distinct(scan.Uses)
	return scan
}

// An answer is what one source said.
type answer struct {
	uses []Use
	err  error
	// named and elsewhere count the uses of ECR registries and of other hosts, including
	// uses that are not kept.
	named, elsewhere int
}

func (a *answer) count(use *Use) {
	switch ref := &use.Reference; {
	case use.Problem != "": // the image is not known
	case ref.RegistryID == "" && ref.Repository != "":
		a.elsewhere++
	default:
		a.named++
	}
}

// A brief source may name an image very often. Only some uses of each image are kept.
type brief interface {
	// mostUses is the maximum number of kept uses of an image.
	mostUses() int
}

// ask asks one source; a panic is a failure of that.
func (s Scope) ask(ctx context.Context, source Source) (a answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a.err = fmt.Errorf("the program is faulty: %v; please report it", cause)
		}
	}()
	full := fullAfter(source)
	for use, err := range source.Uses(ctx) {
		if err != nil {
			a.err = err
			break
		}
		use.Source, use.Reference = source.Name(), s.Aliases.Resolve(use.Reference)
		if s.drops(use.Reference) || full(use.Reference) {
			a.count(&use)
			continue
		}
		a.uses = append(a.uses, use)
	}
	a.uses = distinct(a.uses)
	for i := range a.uses {
		a.count(&a.uses[i])
	}
	return a
}

// drops reports whether the scope leaves out uses of the image.
func (s Scope) drops(ref reference.Reference) bool {
	return s.Region != "" && ref.Region != "" && ref.Region != s.Region
}

// fullAfter returns a function that counts a use of the image, and reports whether
// enough uses of it were kept before.
func fullAfter(source Source) func(reference.Reference) bool {
	b, isBrief := source.(brief)
	if !isBrief {
		return func(reference.Reference) bool { return false }
	}
	kept, most := map[reference.Reference]int{}, b.mostUses()
	return func(ref reference.Reference) bool {
		if kept[ref] == most {
			return true
		}
		kept[ref]++
		return false
	}
}

// distinct sorts the uses and leaves each once.
func distinct(uses []Use) []Use {
	slices.SortFunc(uses, Use.compare)
	return slices.Compact(uses)
}

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
	// Reference is the image. With a digest it is that image, wherever its
	// tag points now; without, it is the image that has the tag now.
	Reference reference.Reference
	// By is what uses it: the ARN of a task, a service, a service revision, a
	// task definition, a function version or an alias; or what a list says,
	// which is the name of the list and the line unless it names an ARN.
	By string
	// Source is the name of the source that says so, which Run fills in.
	Source string
	// Revision is 0, or the image is in use only as one that the newest
	// revisions of a task definition family name: 1 is the newest.
	Revision int
}

func (u Use) compare(other Use) int {
	return cmp.Or(u.Reference.Compare(other.Reference), cmp.Compare(u.By, other.By),
		cmp.Compare(u.Source, other.Source), cmp.Compare(u.Revision, other.Revision))
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
	// Counts is the number of uses that each source named. A source that
	// failed has no entry, one that named none has a zero.
	Counts map[string]int
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

// Run asks all sources at the same time and waits for all of them. Now is the
// time at which it is called.
func Run(ctx context.Context, sources []Source, now time.Time) Scan {
	answers := make([]answer, len(sources))
	var wg sync.WaitGroup
	for i, source := range sources {
		wg.Go(func() { answers[i] = ask(ctx, source) })
	}
	wg.Wait()
	scan := Scan{At: now, Counts: map[string]int{}}
	for i, a := range answers {
		scan.Uses = append(scan.Uses, a.uses...)
		if a.err != nil {
			scan.Failed = append(scan.Failed, Failure{sources[i].Name(), a.err})
			continue
		}
		scan.Counts[sources[i].Name()] += len(a.uses)
	}
	scan.Uses = distinct(scan.Uses)
	return scan
}

// An answer is what one source said.
type answer struct {
	uses []Use
	err  error
}

// ask asks one source; a panic is a failure of that.
func ask(ctx context.Context, source Source) (a answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a.err = fmt.Errorf("the program is faulty: %v; please report it", cause)
		}
	}()
	for use, err := range source.Uses(ctx) {
		if err != nil {
			a.err = err
			break
		}
		use.Source = source.Name()
		a.uses = append(a.uses, use)
	}
	a.uses = distinct(a.uses)
	return a
}

// distinct sorts the uses and leaves each once.
func distinct(uses []Use) []Use {
	slices.SortFunc(uses, Use.compare)
	return slices.Compact(uses)
}

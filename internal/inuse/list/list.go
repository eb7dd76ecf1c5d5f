// Package list is the in-use source for lists of references. [New] takes a list and
// returns the source of its uses. [Write] takes uses and writes a list. A list is one of
//
//   - plain text with a reference on each line. A # at the beginning of a line or after a
//     space begins a comment. Empty lines are skipped.
//   - a JSON array of references.
//   - the JSON document that [Write] writes.
//   - a Kubernetes object or list, as kubectl get -o json prints it. Objects of the
//     built-in kinds use the images of their containers. In the strings of all objects but
//     pods and replica sets, every reference counts that names an ECR registry or an alias.
//
// A list fails as a whole if it is empty, too large, too old or in any part unreadable. Its
// uses are yielded even so. [Prefix] has the sources of lists that many accounts write.
package list

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// The limits of lists.
const (
	MaxSize     = 1 << 30        // bytes of a list
	MaxAge      = 36 * time.Hour // the default for a list that contains its time
	maxSkew     = time.Hour      // how far the time of a list may be ahead of the clock
	maxProblems = 10             // in the error of a list
	maxEntry    = 64 << 10       // bytes of a line or a JSON value
	maxUses     = 5              // of one image, because a cluster can run it in thousands of containers
)

// Open returns the content of the list at a location, and the time of its last modification,
// or zero if that is unknown. Content that is cut short must end with an error.
type Open func(ctx context.Context, location string) (content io.ReadCloser, modified time.Time, err error)

// A Source is the in-use source. It reads the list as a stream.
type Source struct {
	Aliases reference.Aliases // other hosts to look for in Kubernetes objects

	location string
	open     Open
	now      time.Time
	maxAge   time.Duration
	place    string // the account and Region that must be in the list; "" allows any
	unused   string // what to do if the list is no longer written
}

// New returns the source for the list at the location. A list older than maxAge fails. Its
// time is the time in the document or, for other lists, the last modification. A maxAge of
// 0 is [MaxAge] for a document, and no maximum for other lists.
func New(location string, open Open, now time.Time, maxAge time.Duration) Source {
	unused := fmt.Sprintf("take %q out of protect.references", location)
	return Source{location: location, open: open, now: now, maxAge: maxAge, unused: unused}
}

// Of returns the source for a document of the place, which is an account and Region. Any other
// content fails. Unused says what to do if the list cannot be read.
func (s Source) Of(place, unused string) Source {
	s.place, s.unused = place, unused
	return s
}

// Name returns the location, the entry of protect.references.
func (s Source) Name() string { return s.location }

// MaxUses implements [inuse.Repetitive].
func (Source) MaxUses() int { return maxUses }

// Uses reads the list.
func (s Source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		if err := s.read(ctx, yield); err != nil && !errors.Is(err, errStopped) {
			yield(inuse.Use{}, err)
		}
	}
}

func (s Source) read(ctx context.Context, yield func(inuse.Use, error) bool) (err error) {
	content, modified, err := s.open(ctx, s.location)
	if err != nil {
		return s.explain(err)
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	r := reader{Source: s, modified: modified, yield: yield, in: bufio.NewReaderSize(&limited{content, MaxSize}, maxEntry)}
	if err := r.read(); err != nil {
		return s.explain(err)
	}
	r.checkPlace()
	return r.problems.err()
}

// explain wraps an error of opening or reading the list with what to do about it.
func (s Source) explain(err error) error {
	const doing = "read the list of references"
	if wrong, ok := errors.AsType[contentError](err); ok {
		return wrong
	}
	if action, denied := query.Denied(err); denied {
		return fmt.Errorf("%s: %w; allow %s", doing, err, action)
	}
	return fmt.Errorf("%s: %w; if it is no longer kept, %s", doing, err, s.unused)
}

// A contentError is a problem of the content.
type contentError string

func (e contentError) Error() string { return string(e) }

// errStopped ends the reading when the consumer has stopped iterating.
const errStopped = contentError("stopped")

package inuse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

const (
	// MaxListSize is the most that a list of references may have, in bytes.
	MaxListSize = 1 << 30
	// MaxListAge is how old a list that says its time may be, unless the
	// configuration says otherwise.
	MaxListAge = 36 * time.Hour
	// maxListSkew is how far ahead the clock of the writer may be. A list from
	// further ahead would never grow old.
	maxListSkew = time.Hour
	// maxListProblems is how many problems of a list an error tells.
	maxListProblems = 10
	// maxEntry is the most that a line of a list, or a value of one in JSON, may
	// have, in bytes. It bounds the memory that reading takes.
	maxEntry = 64 << 10
	// maxListUses is how many uses of one image a list adds. A cluster can run
	// thousands of containers of one image, and a few show why it is kept.
	maxListUses = 5
)

// Open returns the content of the list at a location, and when the list was last
// modified, or zero if that is not known. The location is a file or an S3 object, as
// the configuration spells it. The caller closes the content. Content that is cut
// short must end with an error.
type Open func(ctx context.Context, location string) (content io.ReadCloser, modified time.Time, err error)

// A List is the source of the references that a list holds, from other
// accounts, Regions or clusters. It is one of
//
//   - plain text: a reference on each line; empty lines and what follows a #
//     at the beginning of a line or after a space are skipped;
//   - a JSON array of references;
//   - the JSON document that [Write] writes.
//
// A list fails as a whole if it is empty, larger than [MaxListSize], too old or in
// any part unreadable: the images that it should protect are not known. It is read
// as a stream. A scan holds at most five uses of each image that it keeps.
type List struct {
	location string
	open     Open
	now      time.Time
	maxAge   time.Duration
}

// NewList returns the source for the list at the location. Its age is counted
// to now, from the time in the document or, without one, from when the list was
// last modified. MaxAge is how old it may be. With 0 a document may be as old as
// [MaxListAge], and other lists do not grow old.
func NewList(location string, open Open, now time.Time, maxAge time.Duration) List {
	return List{location, open, now, maxAge}
}

// Name returns the entry of protect.references.
func (l List) Name() string { return l.location }

func (List) mostUses() int { return maxListUses }

// Uses reads the list.
func (l List) Uses(ctx context.Context) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		left := false
		err := l.read(ctx, func(use Use) bool {
			left = !yield(use, nil)
			return !left
		})
		if err != nil && !left {
			yield(Use{}, err)
		}
	}
}

// errLeft ends the reading of a list when the consumer has stopped.
var errLeft = errors.New("left")

func (l List) read(ctx context.Context, yield func(Use) bool) (err error) {
	content, modified, err := l.open(ctx, l.location)
	if err != nil {
		return l.unread(err)
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	r := listReader{List: l, modified: modified, yield: yield, in: bufio.NewReaderSize(&limited{content, MaxListSize}, maxEntry)}
	if err := r.read(); err != nil && !errors.Is(err, errLeft) {
		return l.unread(err)
	}
	return r.problems.err()
}

// unread says what to do about a list that cannot be had.
func (l List) unread(err error) error {
	const doing = "read the list of references"
	if known, isKnown := errors.AsType[listError](err); isKnown {
		return known
	}
	if denied(err) {
		return fmt.Errorf("%s: %w; allow %s", doing, err, action(err))
	}
	return fmt.Errorf("%s: %w; if it is no longer kept, take %q out of protect.references", doing, err, l.location)
}

// A listError says why the content of a list is wrong.
type listError string

func (e listError) Error() string { return string(e) }

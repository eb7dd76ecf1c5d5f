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
	// MaxListAge is the maximum age of a list that contains its time, unless the
	// configuration sets another.
	MaxListAge = 36 * time.Hour
	// maxListSkew is how far ahead the clock of the writer may be. A list from
	// further ahead would never grow old.
	maxListSkew = time.Hour
	// maxListProblems is how many problems of a list an error tells.
	maxListProblems = 10
	// maxEntry is the maximum length of a line of a list, or of a JSON value in it, in
	// bytes. It bounds the memory for reading.
	maxEntry = 64 << 10
	// maxListUses is the number of uses of one image that a list adds. A cluster can run
	// thousands of containers of one image, and a few uses show why it is kept.
	maxListUses = 5
)

// Open returns the content of the list at a location, and when the list was last
// modified, or zero if that is unknown. The location is a file or an S3 object, spelt
// as in the configuration. The caller closes the content. Reading content that is cut
// short must end with an error.
type Open func(ctx context.Context, location string) (content io.ReadCloser, modified time.Time, err error)

// A List is the source of the references that a list contains, from other
// accounts, Regions or clusters. The list is one of
//
//   - plain text with a reference on each line; empty lines are skipped, and so
//     are comments, which begin with a # at the beginning of a line or after a
//     space and end with the line;
//   - a JSON array of references;
//   - the JSON document that [Write] writes.
//
// A list fails as a whole if it is empty, larger than [MaxListSize], too old or in
// any part unreadable: then it is not known which images it should protect. It is
// read as a stream. A scan keeps at most five uses of each image in memory.
type List struct {
	location string
	open     Open
	now      time.Time
	maxAge   time.Duration
}

// NewList returns the source for the list at the location. Its age is the difference
// between now and the time in the document or, for other lists, the time of the last
// modification. MaxAge is the maximum age. If it is 0, a document may be as old as
// [MaxListAge], and other lists have no maximum age.
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

// errLeft ends the reading of a list when the consumer has stopped iterating.
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

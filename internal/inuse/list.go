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
	// maxListUses is how many uses of one image a list adds: a cluster runs many
	// containers of it, and a person needs no more to see why it is kept.
	maxListUses = 5
)

// Open returns the content of the list at a location, which is a file or an S3
// object, as the configuration spells it, and when that was last modified, which
// is zero if it is not known. The caller closes the content. A content that is
// not whole must end with an error.
type Open func(ctx context.Context, location string) (content io.ReadCloser, modified time.Time, err error)

// A List is the source of the references that a list holds, from other
// accounts, Regions or clusters. It is one of
//
//   - plain text: a reference on each line; empty lines and what follows a #
//     at the beginning of a line or after a space are skipped;
//   - a JSON array of references;
//   - the JSON document that [Write] writes.
//
// A list that is empty, larger than [MaxListSize], too old or in any part
// unreadable has failed as a whole: what it was to protect is not known. It is
// read as a stream: what is held of it are at most five uses of each image that
// a scan keeps.
type List struct {
	location string
	open     Open
	now      time.Time
	maxAge   time.Duration
}

// NewList returns the source for the list at the location. Its age is counted
// to now. A maxAge other than 0 is how old it may be: by the time that it says
// or, if it says none, by when it was last modified. With 0 only a list that says
// its time grows old, after [MaxListAge].
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

// errLeft ends the reading of a list in which nobody is interested any more.
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

// A listError is what is wrong with the content of a list.
type listError string

func (e listError) Error() string { return string(e) }

package inuse

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
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

// A limited reader fails when there is more than the rest.
type limited struct {
	io.Reader

	rest int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p[:min(int64(len(p)), l.rest+1)])
	if l.rest -= int64(n); l.rest < 0 {
		return 0, listError(fmt.Sprintf("the list has more than %d MiB; split it", MaxListSize>>20))
	}
	return n, err
}

// A listReader reads a list.
type listReader struct {
	List
	in       *bufio.Reader
	modified time.Time
	yield    func(Use) bool
	problems problems
}

// read finds out which kind of list it is, and reads that.
func (r *listReader) read() error {
	if mark, _ := r.in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = r.in.Discard(len(mark)) // it is there
	}
	lines := 1
	for {
		c, err := r.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return listError("the list is empty; one without references holds a comment or []")
		case err != nil:
			return err
		case c == '\n' || c == '\r' && !r.follows('\n'):
			lines++
		case c != ' ' && c != '\t' && c != '\r':
			_ = r.in.UnreadByte() // it was just read
			if c == '{' || c == '[' {
				return r.readJSON(lines)
			}
			return r.readLines(lines)
		}
	}
}

// byteOrderMark is how some editors begin a file.
const byteOrderMark = "\ufeff"

func (r *listReader) follows(c byte) bool {
	next, _ := r.in.Peek(1)
	return len(next) == 1 && next[0] == c
}

// readLines reads a plain list from the line of that number on.
func (r *listReader) readLines(number int) error {
	if err := r.checkModified(); err != nil {
		return err
	}
	lines := bufio.NewScanner(r.in)
	lines.Buffer(make([]byte, 0, 4<<10), maxEntry)
	lines.Split(splitLines)
	for ; lines.Scan(); number++ {
		image := strings.TrimSpace(withoutComment(lines.Text()))
		if image != "" && !r.add(image, "", number) {
			return errLeft
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return listError(fmt.Sprintf("line %d: has more than %d KiB, which no reference has", number, maxEntry>>10))
	} else if err != nil {
		return err
	}
	return nil
}

// splitLines is a [bufio.SplitFunc] for the three ends that lines have. An
// unknown one would make the lines after a comment part of it.
func splitLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	for i, c := range data {
		switch {
		case c == '\n':
			return i + 1, data[:i], nil
		case c == '\r' && i+1 == len(data) && !atEOF:
			return 0, nil, nil // a \n may follow
		case c == '\r' && i+1 < len(data) && data[i+1] == '\n':
			return i + 2, data[:i], nil
		case c == '\r':
			return i + 1, data[:i], nil
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func withoutComment(line string) string {
	for i := range line {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}

// add yields the uses that the entry on a line names. By may be empty. It
// reports whether to go on.
func (r *listReader) add(image, by string, line int) bool {
	refs, err := references(image, "")
	switch {
	case errors.Is(err, reference.ErrNoReference):
		r.problems.add(line, "%.80q is not an image reference", image)
	case err != nil:
		r.problems.add(line, "%s", err)
	}
	for _, ref := range refs {
		if !r.yield(Use{Reference: ref, By: cmp.Or(by, fmt.Sprintf("%s:%d", r.location, line))}) {
			return false
		}
	}
	return true
}

// checkModified checks the age of a list that does not say its time.
func (r *listReader) checkModified() error {
	if r.maxAge == 0 {
		return nil
	}
	if r.modified.IsZero() {
		return listError("the list does not say its time, and it is not known when it was last modified; leave out protect.referencesMaxAgeHours, or write the list with ecrclean references")
	}
	if fault := r.ageFault(r.modified); fault != "" {
		return listError(fault)
	}
	return nil
}

// ageFault returns what is wrong with the time of a list, or nothing.
func (r *listReader) ageFault(at time.Time) string {
	most := cmp.Or(r.maxAge, MaxListAge)
	switch age := r.now.Sub(at); {
	case age > most:
		return fmt.Sprintf("the list is more than %.0f hours old; write it again", most.Hours())
	case age < -maxListSkew:
		return "the list is from the future: its time is " + at.Format(time.RFC3339)
	}
	return ""
}

// problems are what is wrong with a list.
type problems struct {
	first []string
	more  int
}

func (p *problems) add(line int, format string, args ...any) {
	if len(p.first) == maxListProblems {
		p.more++
		return
	}
	p.first = append(p.first, fmt.Sprintf("line %d: ", line)+fmt.Sprintf(format, args...))
}

// err returns the problems as one error, or nil if there are none.
func (p *problems) err() error {
	text := strings.Join(p.first, "; ")
	switch {
	case len(p.first) == 0:
		return nil
	case p.more > 0:
		text += fmt.Sprintf("; and %d more", p.more)
	}
	return errors.New(text)
}

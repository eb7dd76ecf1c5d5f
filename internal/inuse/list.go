package inuse

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const (
	// MaxListSize is the most that a list of references may have, in bytes.
	MaxListSize = 10 << 20
	// MaxListAge is how old a list that says its time may be.
	MaxListAge = 36 * time.Hour
	// maxListSkew is how far ahead the clock of the writer may be. A list from
	// further ahead would never grow old.
	maxListSkew = time.Hour
	// maxListProblems is how many problems of a list an error tells.
	maxListProblems = 10
)

// Open returns the content of the list at a location, which is a file or an S3
// object, as the configuration spells it. The caller closes it.
type Open func(ctx context.Context, location string) (io.ReadCloser, error)

// A List is the source of the references that a list holds, from other
// accounts, Regions or clusters. It is one of
//
//   - plain text: a reference on each line; empty lines and what follows a #
//     at the beginning of a line or after a space are skipped;
//   - a JSON array of references;
//   - the JSON document that [Write] writes.
//
// References to other registries than ECR's are skipped, but must be
// references, and not all there is: then a program that was to write the list
// has more likely failed. A list that is empty, larger than [MaxListSize], older than
// [MaxListAge] or in any part unreadable has failed as a whole: what it was to
// protect is not known.
type List struct {
	location string
	open     Open
	now      time.Time
}

// NewList returns the source for the list at the location. Its age is counted
// to now.
func NewList(location string, open Open, now time.Time) List { return List{location, open, now} }

// Name returns the entry of protect.references.
func (l List) Name() string { return l.location }

// Uses reads the list.
func (l List) Uses(ctx context.Context) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		var found collector
		text, err := l.read(ctx)
		if err == nil {
			err = l.parse(text, &found)
		}
		found.yield(err, yield)
	}
}

func (l List) read(ctx context.Context) (text []byte, err error) {
	content, err := l.open(ctx, l.location)
	if err != nil {
		return nil, l.unread(err)
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	text, err = io.ReadAll(io.LimitReader(content, MaxListSize+1))
	switch {
	case err != nil:
		return nil, l.unread(err)
	case len(text) > MaxListSize:
		return nil, fmt.Errorf("the list has more than %d MiB; split it", MaxListSize>>20)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors begin a file with it
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("the list is empty; one without references holds a comment or []")
	}
	return text, nil
}

// unread says what to do about a list that cannot be had.
func (l List) unread(err error) error {
	const doing = "read the list of references"
	if denied(err) {
		return fmt.Errorf("%s: %w; allow %s", doing, err, action(err))
	}
	return fmt.Errorf("%s: %w; if it is no longer kept, take %q out of protect.references", doing, err, l.location)
}

func (l List) parse(text []byte, found *collector) error {
	r := listReader{List: l, found: found}
	if start := bytes.TrimSpace(text)[0]; start == '{' || start == '[' {
		r.readJSON(text)
	} else {
		r.readLines(string(text))
	}
	if err := r.problems.err(); err != nil {
		return err
	}
	if r.skipped > 0 && r.skipped == r.read {
		return fmt.Errorf("none of the %d references of the list leads to ECR; write them with the host of the registry", r.read)
	}
	return nil
}

// A listReader reads the text of a list.
type listReader struct {
	List
	found    *collector
	problems problems
	// read counts the entries, skipped those that lead to other registries.
	read, skipped int
}

func (r *listReader) readLines(text string) {
	number := 0
	for line := range strings.SplitSeq(lineEnds.Replace(text), "\n") {
		number++
		if image := strings.TrimSpace(withoutComment(line)); image != "" {
			r.add(image, "", number)
		}
	}
}

// lineEnds makes one of the three ends that lines have. An unknown one would
// make the lines after a comment part of it.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func withoutComment(line string) string {
	for i := range line {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}

// imagePattern is what the name of an image in any registry is made of.
var imagePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@\[\]+-]*$`)

// add notes the use that the entry on a line names. By may be empty.
func (r *listReader) add(image, by string, line int) {
	r.read++
	refs, err := references(image, "")
	if errors.Is(err, reference.ErrNotECR) || err == nil && len(refs) == 0 {
		r.skipped++
	}
	switch {
	case err == nil:
		r.found.note(refs, Use{By: cmp.Or(by, fmt.Sprintf("%s:%d", r.location, line))})
	case !errors.Is(err, reference.ErrNotECR):
		r.problems.add(line, "%s", err)
	case !imagePattern.MatchString(image):
		r.problems.add(line, "%.80q is not an image reference", image)
	}
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

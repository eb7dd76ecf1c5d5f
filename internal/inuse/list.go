package inuse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
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
// references. A list that is empty, larger than [MaxListSize], older than
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
	case len(bytes.TrimSpace(text)) == 0:
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
	if start := bytes.TrimSpace(text)[0]; start == '{' || start == '[' {
		return l.parseJSON(text, found)
	}
	var problems []error
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		image := strings.TrimSpace(withoutComment(line))
		if image == "" {
			continue
		}
		if err := add(found, image, l.line(number)); err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", number, err))
		}
	}
	return several(problems)
}

// line names a line of the list.
func (l List) line(number int) string { return fmt.Sprintf("%s:%d", l.location, number) }

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

// add notes the use that one entry of a list names.
func add(found *collector, image, by string) error {
	refs, err := references(image, "")
	if errors.Is(err, reference.ErrNotECR) {
		if imagePattern.MatchString(image) {
			return nil
		}
		return fmt.Errorf("%s is not an image reference", jsondoc.Quote(image))
	}
	found.note(refs, by)
	return err
}

// several joins problems into one error on one line; nil if there are none.
func several(problems []error) error {
	if len(problems) == 0 {
		return nil
	}
	texts := make([]string, 0, maxListProblems+1)
	for _, p := range problems[:min(len(problems), maxListProblems)] {
		texts = append(texts, p.Error())
	}
	if more := len(problems) - maxListProblems; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return errors.New(strings.Join(texts, "; "))
}

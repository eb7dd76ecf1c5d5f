package inuse

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A limited reader fails when the content is longer than rest.
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

// read finds out the format of the list, and reads it.
func (r *listReader) read() error {
	if mark, _ := r.in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = r.in.Discard(len(mark)) // the mark was just peeked
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

// byteOrderMark is the character that some editors put at the beginning of a file.
const byteOrderMark = "\ufeff"

func (r *listReader) follows(c byte) bool {
	next, _ := r.in.Peek(1)
	return len(next) == 1 && next[0] == c
}

// readLines reads a plain list from the line with that number on.
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

// splitLines is a [bufio.SplitFunc] for the line ends \n, \r\n and \r. If it missed
// one, the lines after a comment would belong to the comment.
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

// add yields the uses that the entry on a line names. By may be empty. Add returns
// false when the reading should stop.
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

// checkModified checks the age of a list that does not contain its time.
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

// ageFault says why a list of that time is too old or too new, or returns "".
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

// problems are the faults of a list: the first few as text, and the number of the
// others.
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

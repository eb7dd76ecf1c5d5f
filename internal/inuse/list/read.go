package list

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
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
		return 0, contentError(fmt.Sprintf("the list has more than %d MiB; split it", MaxSize>>20))
	}
	return n, err
}

// A reader reads one list.
type reader struct {
	Source
	in       *bufio.Reader
	modified time.Time
	yield    func(inuse.Use, error) bool
	problems problems
	// account and region are those in the list, or empty.
	account, region string
}

// read reads the list in the format that its first character tells.
func (r *reader) read() error {
	const byteOrderMark = "\ufeff" // some editors begin a file with it
	if mark, _ := r.in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = r.in.Discard(len(mark)) // cannot fail after Peek
	} else if len(mark) > 1 && (mark[0] == 0xff && mark[1] == 0xfe || mark[0] == 0xfe && mark[1] == 0xff) {
		return contentError("the list is in UTF-16; save it as UTF-8, in Windows PowerShell with Out-File -Encoding utf8")
	}
	lines := 1
	for {
		c, err := r.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return contentError("the list is empty; a list without references contains a comment or []")
		case err != nil:
			return err
		case c == '\n' || c == '\r' && !r.follows('\n'):
			lines++
		case c != ' ' && c != '\t' && c != '\r':
			_ = r.in.UnreadByte() // cannot fail after ReadByte
			if c == '{' || c == '[' {
				return r.readJSON(lines)
			}
			return r.readLines(lines)
		}
	}
}

func (r *reader) follows(c byte) bool {
	next, _ := r.in.Peek(1)
	return len(next) == 1 && next[0] == c
}

// readLines reads plain text from the line with that number on.
func (r *reader) readLines(number int) error {
	r.checkModified()
	lines := bufio.NewScanner(r.in)
	lines.Buffer(make([]byte, 0, 4<<10), maxEntry)
	lines.Split(splitLines)
	for ; lines.Scan(); number++ {
		image := strings.TrimSpace(withoutComment(lines.Text()))
		if image == "" {
			continue
		}
		if strings.HasPrefix(image, "apiVersion:") {
			return contentError("the list is YAML; " + advice)
		}
		if err := r.add(image, "", false, number); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return contentError(fmt.Sprintf("line %d: has more than %d KiB and is longer than any reference", number, maxEntry>>10))
	}
	return lines.Err()
}

// splitLines is a [bufio.SplitFunc] for the line ends \n, \r\n and \r.
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

// add yields the use in the entry on a line, or returns errStopped.
func (r *reader) add(image, by string, all bool, line int) error {
	ref, err := reference.ParseAny(image)
	switch {
	case errors.Is(err, reference.ErrNoReference):
		r.problems.add(line, "%.80q is not an image reference", image)
	case err != nil:
		r.problems.add(line, "%s", err)
	case !r.yield(inuse.Use{
		Reference: ref, By: cmp.Or(by, fmt.Sprintf("%s:%d", r.location, line)), AllImages: all, Account: accountIn(r.account),
	}, nil):
		return errStopped
	}
	return nil
}

// checkModified checks the age of a list that does not contain its time.
func (r *reader) checkModified() {
	switch problem := r.ageProblem(r.modified); {
	case r.maxAge == 0:
	case r.modified.IsZero():
		r.problems.addGeneral("the list does not contain its time, and it is not known when it was last modified; remove protect.referencesMaxAgeHours, or write the list with ecrclean references")
	case problem != "":
		r.problems.addGeneral(problem)
	}
}

// checkPlace compares a list below a prefix with the place in its key.
func (r *reader) checkPlace() {
	switch {
	case r.place == "" || r.account+"/"+r.region == r.place:
	case r.account == "" && r.region == "":
		r.problems.addGeneral("the list does not say its account and Region; write it with ecrclean references or with the function's mode references")
	default:
		r.problems.addGeneral(fmt.Sprintf("the list is of account %.40q and Region %.40q, but its key is for %s; "+
			"delete it, and correct the key in the account that wrote it", r.account, r.region, r.place))
	}
}

// ageProblem says why a list of that time is too old or too new, or returns "".
func (r *reader) ageProblem(at time.Time) string {
	most := cmp.Or(r.maxAge, MaxAge)
	switch age := r.now.Sub(at); {
	case age > most && most < time.Hour:
		return fmt.Sprintf("the list is more than %s old; write it again", most)
	case age > most:
		return fmt.Sprintf("the list is more than %.0f hours old; write it again", most.Hours())
	case age < -maxSkew:
		return "the list is from the future: its time is " + at.Format(time.RFC3339)
	}
	return ""
}

// problems are the first ten problems of a list, and the number of the others.
type problems struct {
	first []string
	more  int
}

func (p *problems) add(line int, format string, args ...any) {
	p.addGeneral(fmt.Sprintf("line %d: ", line) + fmt.Sprintf(format, args...))
}

// addGeneral adds a problem that has no line.
func (p *problems) addGeneral(problem string) {
	if len(p.first) == maxProblems {
		p.more++
		return
	}
	p.first = append(p.first, problem)
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

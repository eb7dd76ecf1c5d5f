package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A screen is the output of a program on a terminal.
type screen struct {
	lines []string // as they are at the end
	drawn []string // each line, whenever the cursor leaves it or something erases it
}

// inTerminal runs the program in a terminal of that width, and gives it the answers, one to
// each question, and then Ctrl-D. It returns the exit status.
func (p *process) inTerminal(t *testing.T, columns int, answers ...string) (status int, s screen) {
	t.Helper()
	p.Stdin, p.Stdout, p.Stderr = nil, nil, nil
	p.Env = append(p.Env, "TERM=xterm-256color", "COLUMNS=", "NO_COLOR=")
	tty, err := pty.StartWithSize(p.Cmd, &pty.Winsize{Rows: 50, Cols: uint16(columns)})
	awstest.NoError(t, err)
	defer func() { _ = tty.Close() }() // the program has ended
	close(p.started)
	var out bytes.Buffer
	for chunk := make([]byte, 4096); ; {
		n, err := tty.Read(chunk)
		out.Write(chunk[:n])
		if n > 0 && bytes.HasSuffix(out.Bytes(), []byte("go on: ")) {
			answer := "\x04"
			if len(answers) > 0 {
				answer, answers = answers[0]+"\n", answers[1:]
			}
			_, err := tty.WriteString(answer)
			awstest.NoError(t, err)
		}
		if err != nil { // the program has closed its side
			break
		}
	}
	_ = p.Wait() // the state says what there is to know
	close(p.ended)
	return p.ProcessState.ExitCode(), show(out.String())
}

var control = regexp.MustCompile("^\x1b\\[([0-9;?]*)([A-Za-z])")

// show returns the screen with a text that a program has written. It knows the control
// sequences that move to another line or column, and those that erase a line.
func show(text string) screen {
	var s screen
	lines, y, x := [][]rune{nil}, 0, 0
	leave := func() { s.drawn = append(s.drawn, strings.TrimRight(string(lines[y]), " ")) }
	for i := 0; i < len(text); {
		if m := control.FindStringSubmatch(text[i:]); m != nil {
			i += len(m[0])
			if m[2] != "m" { // a colour
				leave()
			}
			n, _ := strconv.Atoi(m[1]) // 0 if it is absent
			switch m[2] {
			case "A":
				y = max(0, y-max(1, n))
			case "G":
				x = max(1, n) - 1
			case "K":
				lines[y] = lines[y][:min(x*(2-n)/2, len(lines[y]))]
			case "J":
				lines[y] = lines[y][:min(x, len(lines[y]))]
				lines = lines[:y+1]
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch r {
		case '\n':
			leave()
			if y++; y == len(lines) {
				lines = append(lines, nil)
			}
		case '\r':
			leave()
			x = 0
		default:
			lines[y] = slices.Concat(lines[y], slices.Repeat([]rune{' '}, max(0, x+1-len(lines[y]))))
			lines[y][x] = r
			x++
		}
	}
	leave()
	for _, line := range lines {
		s.lines = append(s.lines, strings.TrimRight(string(line), " "))
	}
	return s
}

func TestShow(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"a\r\nb\r\n":                        {"a", "b", ""},
		"12345\rab":                         {"ab345"},
		"12345\r\x1b[Kab":                   {"ab"},
		"12345\x1b[2K\rab":                  {"ab"},
		"\x1b[1;31mred\x1b[0m":              {"red"},
		"one\r\ntwo\r\n\x1b[2A\x1b[Jthree…": {"three…"},
	} {
		awstest.Equal(t, strconv.Quote(text), want, show(text).lines)
	}
	awstest.Equal(t, "drawn", []string{"12345", "12345", "ab"}, show("12345\r\x1b[Kab").drawn)
}

// A person answers a question, and Ctrl-D is no answer.
func TestQuestionsOnATerminal(t *testing.T) {
	t.Parallel()
	for answer, left := range map[string]int{"yes": 1, "no": 3, "": 3} {
		registry := fakeecr.New()
		fill(registry, "app", 3)
		p := prepare(t, registry, "apply")
		_, s := p.inTerminal(t, 80, strings.Fields(answer)...)
		awstest.Equal(t, "images after "+strconv.Quote(answer), left, len(registry.Images("app")))
		awstest.Contains(t, strings.Join(s.lines, "\n"), strings.TrimSpace("Type yes to go on: "+answer))
	}
}

// documents are the commands that print a document, whose lines are as long as they are.
var documents = []string{"adopt", "convert", "invoke", "kubernetes-role", "references"}

// No line of any command or help is wider than the terminal, but a single word stays whole.
func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	t.Parallel()
	more := []string{
		"plan", "plan -o wide", "plan --policy INPUT/policy.json --max-deletions 1", "apply", "apply -o wide", "delete app v1 v2", "delete app --untagged",
		"plan -r none", "plan --regoin x", "explain nowhere:v1", "show INPUT/log", "adopt --out INPUT/new.json --detach", "attach --detach", "--help", "completion --help",
	}
	for name, line := range commandLines {
		more = append(more, name+" --help")
		if !slices.Contains(documents, name) {
			more = append(more, line)
		}
	}
	for _, line := range more {
		for _, columns := range []int{80, 120} {
			t.Run(fmt.Sprintf("%s/%d", line, columns), func(t *testing.T) {
				t.Parallel()
				p := prepare(t, wideRegistry())
				p.give(t, inputs)
				p.Args = append(p.Args, strings.Fields(strings.ReplaceAll(line, "INPUT", p.Dir))...)
				_, s := p.inTerminal(t, columns, "yes")
				for _, line := range s.drawn {
					if words := strings.Fields(line); text.Width(line) > columns && len(words) > 1 {
						t.Errorf("a line has %d columns:\n%s", text.Width(line), line)
					}
				}
			})
		}
	}
}

// wideRegistry has long names, tags and policies.
func wideRegistry() *fakeecr.Server {
	registry := fakeecr.New()
	long := "platform/backend/services/payments-and-invoices/authorization-worker"
	for _, repository := range []string{"app", long, long + "-canary"} {
		fill(registry, repository, 4)
		registry.Put(repository, fakeecr.Image{
			PushedAt: time.Now().AddDate(0, 0, -60),
			Tags:     []string{"v1", "release-2026.11.30-build.4711-with-a-rather-long-suffix", "main-3f1c5a0e77b2", "stable"},
		})
		registry.SetLifecyclePolicy(repository, keepOne(repository))
	}
	return registry
}

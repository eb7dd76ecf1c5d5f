package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/creack/pty"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/progress"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// onTerminal makes the standard error stream of the program a terminal. When the program
// has ended, finish returns everything that was written to the terminal.
func (p *process) onTerminal(t *testing.T, columns uint16) (finish func() string) {
	t.Helper()
	terminal, end, err := pty.Open()
	awstest.NoError(t, err)
	awstest.NoError(t, pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: columns}))
	p.Stderr = end
	p.Env = append(p.Env, "TERM=xterm", "CI=true")
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(&p.errors, terminal) // fails when the last writer has closed it
	}()
	return func() string {
		_ = end.Close() // the program has its own
		<-copied
		_ = terminal.Close()
		return p.errors.text()
	}
}

// shown returns the lines that a terminal shows after the text, and the most columns of
// a progress line. The text has no control characters but those of progress lines.
func shown(text string) (lines []string, columns int) {
	for line := range strings.SplitSeq(text, "\n") {
		screen := ""
		for piece := range strings.SplitSeq(line, "\r") {
			drawn, after, progress := strings.Cut(piece, "\x1b[K")
			switch {
			case progress:
				columns = max(columns, len(drawn))
				screen = drawn + after
			case piece != "": // the terminal itself ends a line with a carriage return
				screen = piece + screen[min(len(piece), len(screen)):]
			}
		}
		lines = append(lines, screen)
	}
	return lines, columns
}

// wantNoProgress checks that no progress is left on the terminal, and none has wrapped.
func wantNoProgress(t *testing.T, text string, width uint16) {
	t.Helper()
	lines, columns := shown(text)
	if columns == 0 || columns >= int(width) {
		t.Errorf("the progress has %d columns:\n%q", columns, text)
	}
	for _, line := range lines {
		if strings.ContainsFunc(line, unicode.IsControl) || strings.Contains(line, "so far") {
			t.Errorf("the terminal shows %q", line)
		}
	}
	awstest.Equal(t, "column of the cursor", 0, len(lines[len(lines)-1]))
}

// Each answer comes only after the line was seen that tells of the wait for it.
func TestATerminalShowsTheProgressBeforeEachAnswer(t *testing.T) {
	t.Parallel()
	for _, width := range []uint16{80, 120} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			registry := fakeecr.New()
			fill(registry, "app", 51)
			fill(registry, "web", 51)
			p := prepare(t, registry, "apply", "--output", "json", "--color", "never")
			finish := p.onTerminal(t, width)
			input, answer, err := os.Pipe()
			awstest.NoError(t, err)
			t.Cleanup(func() { _, _ = input.Close(), answer.Close() })
			p.Stdin = input
			for operation, words := range map[string]string{
				"DescribeRepositories": "listing repositories", "DescribeImages": "planning: ", "BatchDeleteImage": "deleting: ",
			} {
				registry.Before(operation, once(1, func() { p.errors.await(words) }))
			}
			go func() {
				p.errors.await("Type yes to go on: ")
				_, _ = answer.WriteString("yes\n") // without it the test does not end
			}()
			if status := p.run(t); status != exit.Done || p.report(t).Totals.Deleted != 100 {
				t.Errorf("%s ended with %d", p, status)
			}
			text := finish()
			wantNoProgress(t, text, width)
			awstest.Contains(t, text, "Type yes to go on: \r\n")
		})
	}
}

// The second signal ends the program before it could clean the terminal.
func TestSignalsLeaveTheTerminalClean(t *testing.T) {
	t.Parallel()
	registry := fakeecr.New()
	fill(registry, "app", 3)
	p := prepare(t, registry, "apply", "--yes", "--color", "never")
	finish := p.onTerminal(t, 80)
	registry.Before("BatchDeleteImage", func() {
		p.errors.await("deleting: ")
		p.interrupt(syscall.SIGINT)
		_ = p.Process.Signal(syscall.SIGTERM) // without it the call goes on, and the status tells
		<-p.ended
	})
	awstest.Equal(t, "status", -1, p.run(t))
	text := finish()
	wantNoProgress(t, text, 80)
	lines, _ := shown(text)
	awstest.Equal(t, "terminal", "ecrclean: interrupt signal received; finishing 1 delete call; press Ctrl-C again to quit now\n", strings.Join(lines, "\n"))
}

// Elsewhere than on a terminal there is a line every 30 seconds, unless --no-progress is given.
func TestAPipeShowsTheProgress(t *testing.T) {
	t.Parallel()
	const lines = "ecrclean: connecting to AWS, 0 calls/s, 30 s so far\necrclean: connecting to AWS, 0 calls/s, 60 s so far\n"
	for flag, want := range map[string]string{"--debug=false": lines, "--no-progress": ""} {
		for _, command := range []string{
			"plan", "apply", "delete app v1", "explain app v1", "policies", "references", "adopt", "attach --detach",
		} {
			synctest.Test(t, func(t *testing.T) {
				var out, errs strings.Builder
				line := progress.New(&errs, os.Getenv)
				status := run(t.Context(), env.Env{
					Stdin: strings.NewReader(""), Stdout: line.Results(&out), Stderr: line, Progress: line,
					Now: time.Now, Getenv: func(string) string { return "" },
					Connector: func(string, string, func() time.Time) func(context.Context) (function.Registry, error) {
						return func(context.Context) (function.Registry, error) {
							time.Sleep(61 * time.Second) // not real time
							return function.Registry{}, errors.New("no answer")
						}
					},
				}, append(strings.Fields(command), flag))
				awstest.Equal(t, command+" ends with", exit.Usage, status)
				awstest.Equal(t, command+" "+flag, want+"ecrclean: no answer\n", errs.String())
			})
		}
	}
}

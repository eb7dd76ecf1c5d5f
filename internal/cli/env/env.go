// Package env has what surrounds a command of ecrclean: the streams, the clock, the
// environment variables, and the way to AWS. Tests run a command with an Env of their
// own, without a process.
package env

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// An Env is everything outside the program. Connector and Source are those of package
// function; an empty profile or Region means that of the environment.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Now            func() time.Time
	Connector      func(profile, region string, clock func() time.Time) func(context.Context) (function.Registry, error)
	Source         func(profile, region string, clock func() time.Time) config.Reader
}

// Notef prints a message on the standard error stream, on one printable line.
func (e Env) Notef(format string, args ...any) {
	fmt.Fprintln(e.Stderr, "ecrclean: "+text.Line(fmt.Sprintf(format, args...)))
}

// OpenInput opens a file, or the standard input for "-".
func (e Env) OpenInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(e.Stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, exit.Usagef("%w", err)
	}
	return f, nil
}

// ReadInput reads a file, or the standard input for "-", as ReadAll does.
func (e Env) ReadInput(name string, most int64) ([]byte, error) {
	r, err := e.OpenInput(name)
	if err != nil {
		return nil, err
	}
	if name == "-" {
		name = "standard input"
	}
	return ReadAll(name, r, most)
}

// ReadAll reads and closes r. It reads no more than most+1 bytes, so the caller can see
// that there is too much. The error names the name.
func ReadAll(name string, r io.ReadCloser, most int64) ([]byte, error) {
	defer func() { _ = r.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, exit.Usagef("read %s: %w", name, err)
	}
	return content, nil
}

// Confirm asks on the standard error stream and reports whether the answer is "yes".
// After any other answer it prints declined. If the input ends without an answer, the
// error says instead, which is how to run without a question.
func (e Env) Confirm(question, declined, instead string) (agreed bool, err error) {
	fmt.Fprintf(e.Stderr, "\n%s Type yes to go on: ", question)
	answer, err := bufio.NewReader(e.Stdin).ReadString('\n')
	answer = strings.TrimSpace(answer)
	ended := errors.Is(err, io.EOF)
	if answer == "yes" && (err == nil || ended) {
		fmt.Fprintln(e.Stderr)
		return true, nil
	}
	fmt.Fprintln(e.Stderr, "\n"+declined)
	switch {
	case err != nil && !ended:
		return false, exit.Failuref("read the answer: %w", err)
	case ended && answer == "":
		return false, exit.Usagef("no answer on the standard input; %s", instead)
	}
	return false, nil
}

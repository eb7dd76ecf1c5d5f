// Package env has the environment of a command: streams, clock, environment variables,
// and the connection to AWS. Tests run a command with an Env of their own.
package env

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/progress"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// An Env is everything outside the program. See package function for Connector and Source.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Terminal       terminal.Streams
	Getenv         func(string) string
	Now            func() time.Time
	Progress       *progress.Line // Stderr and Stdout are written through it
	Connector      func(profile, region string, clock func() time.Time) func(context.Context) (function.Registry, error)
	Source         func(profile, region string, clock func() time.Time) config.Reader
	// Assumer is for registries of other accounts. See package function.
	Assumer func(profile, region string, clock func() time.Time) func(context.Context, function.Role) (function.Registry, error)
}

// Notef prints a message on the standard error stream, on one printable line. A terminal's
// width can break the line.
func (e Env) Notef(format string, args ...any) {
	line := "ecrclean: " + text.Line(fmt.Sprintf(format, args...))
	fmt.Fprintln(e.Stderr, text.Fold(line, e.Terminal.Err.Width))
}

// OpenInput opens a file, or the standard input for "-".
func (e Env) OpenInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(e.Stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, exit.Usagef("%w; check the name of the file", err)
	}
	return f, nil
}

// ReadInput is ReadAll of OpenInput.
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

// ReadAll reads at most most+1 bytes, to tell a file that is too long, and closes r. It
// returns UTF-8, see [jsondoc.UTF8].
func ReadAll(name string, r io.ReadCloser, most int64) ([]byte, error) {
	defer func() { _ = r.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, exit.Usagef("read %s: %w", name, err)
	}
	return jsondoc.UTF8(content), nil
}

// Decoded returns a reader of the text in UTF-8, see [jsondoc.UTF8]. It keeps only a text in
// UTF-16 in memory.
func Decoded(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	mark, _ := in.Peek(2) // the next read returns the error, too
	if mark := string(mark); mark != "\xff\xfe" && mark != "\xfe\xff" {
		return in, nil
	}
	content, err := io.ReadAll(in)
	return bytes.NewReader(jsondoc.UTF8(content)), err
}

// Confirm asks on the standard error stream and reports whether the answer is "yes". After
// any other answer it prints declined, a sentence. Without an answer, the error ends with instead.
func (e Env) Confirm(question, declined, instead string) (agreed bool, err error) {
	fmt.Fprint(e.Stderr, text.Fold("\n"+question+" Type yes to go on:", e.Terminal.Err.Width)+" ")
	answer, err := bufio.NewReader(e.Stdin).ReadString('\n')
	answer = strings.TrimSpace(answer)
	ended := errors.Is(err, io.EOF)
	if answer == "yes" && (err == nil || ended) {
		fmt.Fprintln(e.Stderr)
		return true, nil
	}
	if !slices.Contains([]string{"no", "n"}, strings.ToLower(answer)) && (err == nil || ended && answer != "") {
		declined = fmt.Sprintf("%s: only \"yes\" goes on, and the answer was %.40q.", strings.TrimSuffix(declined, "."), answer)
	}
	fmt.Fprintln(e.Stderr, "\n"+text.Fold(declined, e.Terminal.Err.Width))
	switch {
	case err != nil && !ended:
		return false, exit.Failuref("read the answer: %w", err)
	case ended && answer == "":
		return false, exit.Usagef("no answer on the standard input; %s", instead)
	}
	return false, nil
}

// An Output keeps the first error of writing, and writes nothing after it.
type Output struct {
	W   io.Writer
	Err error
}

func (o *Output) Write(content []byte) (n int, err error) {
	if o.Err == nil {
		n, o.Err = o.W.Write(content)
	}
	return n, o.Err
}

// An Interruptible reads R, but does not wait for it when the context is done.
type Interruptible struct {
	Context context.Context
	R       io.Reader
}

func (i Interruptible) Read(content []byte) (int, error) {
	if err := i.Context.Err(); err != nil {
		return 0, err
	}
	own := make([]byte, min(len(content), 1<<16)) // the caller may use its own again by then
	var n int
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, err = i.R.Read(own)
	}()
	select {
	case <-done:
		return copy(content, own[:n]), err
	case <-i.Context.Done():
		return 0, i.Context.Err()
	}
}

// SaveFile writes a file or, after an error, leaves the older file as it was: it writes a
// temporary file and renames it. It writes directly to a pipe or a device.
func SaveFile(name string, write func(io.Writer) error) error {
	there, err := os.Stat(name)
	switch {
	case err != nil: // it does not exist, or os.CreateTemp finds the fault
		err = replaceFile(name, 0o600, write)
	case there.Mode().IsRegular():
		err = replaceFile(name, there.Mode().Perm(), write)
	default:
		var f *os.File
		if f, err = os.OpenFile(name, os.O_WRONLY, 0); err == nil {
			err = errors.Join(write(f), f.Close())
		}
	}
	if cause, ok := errors.AsType[*fs.PathError](err); ok { // it names the temporary file
		err = cause.Err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func replaceFile(name string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".ecrclean-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // err says what went wrong
		}
	}()
	if err := errors.Join(write(f), f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

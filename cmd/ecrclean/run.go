package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// A world is everything outside the program.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	connector      func(profile, region string, clock func() time.Time) func(context.Context) (function.Registry, error)
	source         func(profile, region string, clock func() time.Time) config.Reader
}

// The exit statuses, as doc.go describes them.
const (
	statusDone = iota
	statusFailed
	statusUsage
	statusUnhandled
)

// A statusError ends the program with a status of its own.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// usageError is for what the person has to mend: usage, configuration, policy
// or input.
func usageError(err error) error { return &statusError{statusUsage, err} }

// failure is for an operation that could not be carried out.
func failure(err error) error { return &statusError{statusFailed, err} }

// errUnhandled ends the program with status 3; the report has said why.
var errUnhandled = &statusError{statusUnhandled, errors.New("finished, but something was not handled; see above")}

// commands make the subcommands of ecrclean.
var commands = []func(world) *cobra.Command{
	planCommand, applyCommand, deleteCommand, explainCommand, policiesCommand, previewCommand, checkCommand,
	convertCommand, attachCommand, adoptCommand, referencesCommand, auditCommand, invokeCommand, demoCommand,
}

// run carries out one command line and returns the exit status.
func run(ctx context.Context, w world, args []string) (status int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(w.stderr, "ecrclean: the program is faulty: %v; please report it with what follows\n%s", cause, debug.Stack())
			status = statusFailed
		}
	}()
	root := &cobra.Command{
		Use:           "ecrclean",
		Short:         "Show, explain and remove what lifecycle policies expire in an Amazon ECR registry",
		SilenceUsage:  true,
		SilenceErrors: true,
		// without a command: help, and no guess
		RunE: func(*cobra.Command, []string) error {
			return usageError(errors.New("a command is missing; see ecrclean --help"))
		},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q; see ecrclean --help", args[0])
			}
			return nil
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(args)
	out := &output{w: w.stdout}
	w.stdin, w.stdout = interruptible{ctx, w.stdin}, out
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	for _, command := range commands {
		root.AddCommand(command(w))
	}
	err := ended(ctx, root.ExecuteContext(ctx), out.err)
	if err == nil {
		return statusDone
	}
	fmt.Fprintln(w.stderr, "ecrclean:", oneLine(err))
	if se, ok := errors.AsType[*statusError](err); ok {
		return se.status
	}
	return statusUsage // cobra's own errors are about the command line
}

// ended returns how a command ended that returned err: a signal may have been the
// cause, and what it wrote to the standard output may not have arrived.
func ended(ctx context.Context, err, written error) error {
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.Is(err, context.Cause(ctx)):
		return failure(fmt.Errorf("not done: %w", context.Cause(ctx)))
	case written != nil && (err == nil || errors.Is(err, errUnhandled)):
		return failure(fmt.Errorf("write to the standard output: %w", written))
	}
	return err
}

// oneLine keeps a message on one line and harmless, whatever a server or a
// person put into it.
func oneLine(err error) string {
	return printable(strings.Join(strings.Fields(err.Error()), " "))
}

// newRunID returns a random name for a run.
func newRunID() string { return strings.ToLower(rand.Text()) }

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
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

// run carries out one command line and returns the exit status.
func run(ctx context.Context, w world, args []string) int {
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
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	for _, command := range []func(world) *cobra.Command{
		planCommand, applyCommand, deleteCommand, explainCommand, policiesCommand, previewCommand, checkCommand,
		convertCommand, attachCommand, adoptCommand, referencesCommand, auditCommand, invokeCommand, demoCommand,
	} {
		root.AddCommand(command(w))
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		return statusDone
	}
	fmt.Fprintln(w.stderr, "ecrclean:", oneLine(err))
	if se, ok := errors.AsType[*statusError](err); ok {
		return se.status
	}
	return statusUsage // cobra's own errors are about the command line
}

// oneLine keeps a message on one line and harmless, whatever a server or a
// person put into it.
func oneLine(err error) string {
	return printable(strings.Join(strings.Fields(err.Error()), " "))
}

// newRunID returns a random name for a run.
func newRunID() string { return strings.ToLower(rand.Text()) }

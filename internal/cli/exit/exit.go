// Package exit has the errors that end ecrclean with an exit status. Status returns the
// exit status for any error.
package exit

import (
	"errors"
	"fmt"
)

// The exit statuses.
const (
	Done   = iota
	Failed // the operation failed, or its result could not be written
	Usage  // the command line, the configuration, a policy or a file is wrong
	Incomplete
	Changes // only with --detailed-exitcode: there is something to do
)

// An Error ends the program with a status.
type Error struct {
	Status int
	err    error
}

func (e *Error) Error() string { return e.err.Error() }

func (e *Error) Unwrap() error { return e.err }

// Usagef returns an error with the status Usage.
func Usagef(format string, args ...any) error { return &Error{Usage, fmt.Errorf(format, args...)} }

// Failuref returns an error with the status Failed.
func Failuref(format string, args ...any) error { return &Error{Failed, fmt.Errorf(format, args...)} }

// Incompletef returns an error with the status Incomplete: not everything was done.
func Incompletef(format string, args ...any) error {
	return &Error{Incomplete, fmt.Errorf(format, args...)}
}

// Changesf returns an error with the status Changes: nothing failed.
func Changesf(format string, args ...any) error { return &Error{Changes, fmt.Errorf(format, args...)} }

// Status returns the exit status for an error. An error without one comes from cobra.
func Status(err error) int {
	if err == nil {
		return Done
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return Usage
}

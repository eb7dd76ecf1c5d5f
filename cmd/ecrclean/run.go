package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
)

// run carries out one command line and returns the exit status.
func run(ctx context.Context, e env.Env, args []string) (status int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(e.Stderr, "ecrclean: the program is faulty: %v; please report it with the following lines\n%s", cause, debug.Stack())
			status = exit.Failed
		}
	}()
	out := &env.Output{W: e.Stdout}
	e.Stdin, e.Stdout = env.Interruptible{Context: ctx, R: e.Stdin}, out
	err := root(e, args).ExecuteContext(ctx)
	interrupted := ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.Is(err, context.Cause(ctx))
	switch {
	case interrupted:
		err = exit.Failuref("not done: %w", context.Cause(ctx))
	case err == nil && out.Err != nil:
		err = exit.Failuref("write to the standard output: %w", out.Err)
	}
	if err != nil {
		e.Notef("%s", err)
	}
	return exit.Status(err)
}

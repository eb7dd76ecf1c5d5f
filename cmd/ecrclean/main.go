package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/progress"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // the machines of users have memory
	}
	line := progress.New(os.Stderr, os.Getenv)
	e := env.Env{
		Stdin: os.Stdin, Stdout: line.Results(os.Stdout), Stderr: line, Progress: line,
		Terminal: terminal.Open(os.Stdout, os.Stderr, os.Getenv),
		Getenv:   os.Getenv, Now: time.Now, Connector: function.Connector(os.Getenv), Source: function.SourceReader,
		Assumer: function.Assumer(os.Getenv),
	}
	os.Exit(run(untilSignal(line.Interrupt), e, os.Args[1:]))
}

// untilSignal returns a context that ends with the first SIGINT, SIGTERM or SIGHUP. The
// second one ends the program at once. A SIGHUP stays ignored under nohup. The first signal
// is told to interrupt.
func untilSignal(interrupt func(cause error)) context.Context {
	// Without this, writing to a closed pipe would end the program before it can report.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, func() {
		stop()
		interrupt(context.Cause(ctx))
	})
	return ctx
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// gcPercent has garbage collected less often than is usual: there is memory where
// people sit.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	w := world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, now: time.Now, connector: function.Connector(os.Getenv), source: function.SourceReader,
	}
	os.Exit(run(untilSignal(), w, os.Args[1:]))
}

// untilSignal returns a context that ends with the first signal to end; the second
// ends the program at once. A hangup that is ignored, as under nohup, stays so.
func untilSignal() context.Context {
	// What a closed pipe does not take is an error: the program lives to say what it did.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, func() {
		stop()
		fmt.Fprintf(os.Stderr, "ecrclean: %s; ending after the calls under way, once more ends at once\n", context.Cause(ctx))
	})
	return ctx
}

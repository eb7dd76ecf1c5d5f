package main

import (
	"context"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	w := world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, now: time.Now, connector: function.Connector(os.Getenv), source: function.SourceReader,
	}
	status := run(ctx, w, os.Args[1:])
	stop()
	os.Exit(status)
}

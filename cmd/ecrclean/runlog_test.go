package main

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// A log that fails half-way ends the run: the batch whose intents are not in it is
// kept, and nothing after that is tried. It is not parallel: a process that another
// test starts may hold the pipe open for a moment.
func TestALogThatFailsEndsTheRun(t *testing.T) {
	registry := fakeecr.New()
	fill(registry, "app", 251)
	p := prepare(t, registry, "apply", "--yes", "--output", "json", "--log", "log")
	log := fifo(t, filepath.Join(p.Dir, "log"))
	registry.Before("DescribeImages", once(3, func() { _ = log.Close() })) // the re-check of the second batch
	if status := p.run(t); status != exit.Incomplete {
		t.Errorf("ended with %d", status)
	}
	report := p.report(t)
	if got := report.Totals; got.Deleted != 100 || got.Failed != 100 || got.NotAttempted != 50 || len(registry.Images("app")) != 151 {
		t.Errorf("%d images are left, totals %+v", len(registry.Images("app")), got)
	}
	const words = "log: write log: broken pipe; free some space and run again"
	if im := report.Repositories[0].Images[100]; im.Outcome != "failed" || im.Message != words {
		t.Errorf("%q: %q", im.Outcome, im.Message)
	}
	if calls := registry.Calls(); calls["BatchDeleteImage"] != 1 {
		t.Errorf("calls %v", calls)
	}
	p.wantSaid(t, "ecrclean: "+words+"\n")
}

// The log of invoke is the error stream.
func TestInvokeRemovesNothingWithoutItsLog(t *testing.T) {
	t.Parallel()
	registry := fakeecr.New()
	fill(registry, "app", 3)
	p := prepare(t, registry, "invoke", "apply.json")
	p.give(t, inputs)
	p.Stderr = closedPipe(t)
	if status := p.run(t); status != exit.Incomplete || len(registry.Images("app")) != 3 {
		t.Errorf("ended with %d, %d images are left", status, len(registry.Images("app")))
	}
	if got := p.report(t).Totals; got.Failed != 2 {
		t.Errorf("totals %+v", got)
	}
}

// fifo makes a named pipe and reads it to its end, or until it is closed.
func fifo(t *testing.T, name string) *os.File {
	t.Helper()
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0) // as a writer, so that the end does not come before the program
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, f) }() // ends with an error when it is closed
	return f
}

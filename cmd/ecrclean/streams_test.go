package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// inputs are files for the commands that read some.
var inputs = map[string]string{
	"policy.json": keepOne("x"), "images.json": `{"imageDetails": []}`, "event.json": `{}`, "apply.json": `{"mode": "apply"}`, "references": "[]",
	"log":        `{"time":"2026-11-22T03:00:03Z","level":"INFO","msg":"run","run_id":"r","mode":"apply"}`,
	"fleet.json": `{"version": 1, "mode": "plan", "handled": true, "targets": [], "places": []}`,
	"plan.json":  `{"version": 1, "runId": "r", "mode": "plan", "account": "123456789012", "region": "eu-west-1", "repositories": []}`,
}

func (p *process) give(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		awstest.NoError(t, os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o600))
	}
}

// Whatever is printed into a closed pipe, the program lives on, and its status tells.
func TestAClosedStandardOutputIsAFailure(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		"plan", "plan --output json", "plan --help", "explain app v1", "explain app v1 --output json", "policies", "policies --output json",
		"preview --policy policy.json --images images.json", "preview --policy policy.json --images images.json --output json",
		"check policy.json", "check policy.json --output json", "convert policy.json", "attach --policy policy.json --yes", "adopt",
		"references --config {\"protect\":{\"inUse\":[],\"references\":[\"references\"]}}", "audit log", "audit log --output json",
		"show plan.json", "show plan.json --output json", "show log", "diff plan.json plan.json", "diff plan.json --output json", "invoke event.json", "demo",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			registry := fakeecr.New()
			fill(registry, "app", 2)
			registry.Put("app", fakeecr.Image{Tags: []string{"v1"}})
			p := prepare(t, registry, strings.Fields(command)...)
			p.give(t, inputs)
			p.Stdout = closedPipe(t)
			awstest.Equal(t, "status", exit.Failed, p.run(t))
			p.wantSaid(t, "broken pipe\n")
		})
	}
}

// What was removed is said in another place when the report cannot be.
func TestWhatWasRemovedDoesNotStayUnsaid(t *testing.T) {
	t.Parallel()
	const totals = "ecrclean: 1 repository (0 skipped), 3 images: 2 to remove, 0 protected; 2 deleted, 0 archived, 0 blocked, 0 changed, 0 gone, 0 failed; at most 0 B (images share layers)\n"
	for _, command := range []string{"apply --yes", "apply --yes --output json", "apply --yes --log log", "delete app v1 v2 --yes", "invoke apply.json"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			registry := fakeecr.New()
			fill(registry, "app", 0)
			for _, tag := range []string{"v1", "v2", "v3"} {
				registry.Put("app", fakeecr.Image{PushedAt: time.Now().AddDate(0, 0, -9), Tags: []string{tag}})
			}
			p := prepare(t, registry, strings.Fields(command)...)
			p.give(t, map[string]string{"apply.json": inputs["apply.json"]})
			p.Stdout = closedPipe(t)
			if status := p.run(t); status != exit.Failed || len(registry.Images("app")) != 1 {
				t.Errorf("ended with %d, %d images are left", status, len(registry.Images("app")))
			}
			p.wantSaid(t, totals, "ecrclean: write the report: write /dev/stdout: broken pipe\n")
			if strings.Contains(command, "--log") && p.audited(t, "log").Totals.Deleted != 2 {
				t.Errorf("the log has\n%s", p.file(t, "log"))
			}
		})
	}
}

// A log that fails half-way ends the run: the batch whose intents are not in it is
// kept, and nothing after that is tried. It is not parallel: a process that another
// test starts may hold the pipe open for a moment.
func TestALogThatFailsEndsTheRun(t *testing.T) {
	registry := fakeecr.New()
	fill(registry, "app", 251)
	p := prepare(t, registry, "apply", "--yes", "--output", "json", "--log", "log")
	log := fifo(t, filepath.Join(p.Dir, "log"))
	registry.Before("DescribeImages", once(3, func() { _ = log.Close() })) // the re-check of the second batch
	awstest.Equal(t, "status", exit.Incomplete, p.run(t))
	report := p.report(t)
	if got := report.Totals; got.Deleted != 100 || got.Failed != 100 || got.NotAttempted != 50 || len(registry.Images("app")) != 151 {
		t.Errorf("%d images are left, totals %+v", len(registry.Images("app")), got)
	}
	const words = "log: write log: broken pipe; free some space and run again"
	if im := report.Repositories[0].Images[100]; im.Outcome != "failed" || im.Message != words {
		t.Errorf("%q: %q", im.Outcome, im.Message)
	}
	awstest.Equal(t, "BatchDeleteImage calls", 1, registry.Calls()["BatchDeleteImage"])
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
	awstest.Equal(t, "failed images", 2, p.report(t).Totals.Failed)
}

// fifo makes a named pipe and reads it to its end, or until it is closed.
func fifo(t *testing.T, name string) *os.File {
	t.Helper()
	awstest.NoError(t, syscall.Mkfifo(name, 0o600))
	f, err := os.OpenFile(name, os.O_RDWR, 0) // as a writer, so that the end does not come before the program
	awstest.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, f) }() // ends with an error when it is closed
	return f
}

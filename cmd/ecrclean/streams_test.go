package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// inputs are files for the commands that read some.
var inputs = map[string]string{
	"policy.json": keepOne("x"), "images.json": `{"imageDetails": []}`, "event.json": `{}`, "apply.json": `{"mode": "apply"}`, "references": "[]",
	"log": `{"time":"2026-11-22T03:00:03Z","level":"INFO","msg":"run","run_id":"r","mode":"apply"}`,
}

func (p *process) give(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever is printed into a closed pipe, the program lives on, and its status
// tells.
func TestAClosedStandardOutputIsAFailure(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		"plan", "plan --output json", "plan --help", "explain app v1", "explain app v1 --output json", "policies", "policies --output json",
		"preview --policy policy.json --images images.json", "preview --policy policy.json --images images.json --output json",
		"check policy.json", "check policy.json --output json", "convert policy.json", "attach --policy policy.json --yes", "adopt",
		"references --config {\"protect\":{\"inUse\":[],\"references\":[\"references\"]}}", "audit log", "audit log --output json", "invoke event.json", "demo",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			registry := fakeecr.New()
			fill(registry, "app", 2)
			registry.Put("app", fakeecr.Image{Tags: []string{"v1"}})
			p := prepare(t, registry, strings.Fields(command)...)
			p.give(t, inputs)
			p.Stdout = closedPipe(t)
			if status := p.run(t); status != exit.Failed {
				t.Errorf("ended with %d: %v", status, p.ProcessState)
			}
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

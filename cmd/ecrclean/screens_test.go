package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

const longName = "platform/services/production/europe/payment-gateway-worker"

// longNamed returns a registry with long names.
func longNamed() *fakeecr.Server {
	registry := fakeecr.New()
	policy := keepOne("x")
	for _, name := range []string{longName, "app"} {
		registry.CreateRepository(name)
		registry.SetLifecyclePolicy(name, policy)
		for i := range 30 {
			registry.Put(name, fakeecr.Image{
				Tags: []string{fmt.Sprintf("v1.%d.0-build.20261130.1-linux-amd64-release-candidate", i), fmt.Sprint("v", i)}, SizeInBytes: 1e9,
				PushedAt: time.Now().AddDate(0, 0, -100+i),
			})
		}
	}
	registry.CreateRepository("without/any/policy/that/would/delete/images/from/it")
	return registry
}

// No screen of any command is wider than the terminal.
func TestEveryScreenFits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const detail = `{"imageDigest": "sha256:1111111111111111111111111111111111111111111111111111111111111111", "imageTags": ["a-tag-of-a-long-name-that-says-what-it-is"], "imagePushedAt": 1}`
	for name, content := range map[string]string{
		"policy.json": keepOne("x"), "images.json": `{"imageDetails": [` + detail + `]}`, "bad.json": `{"rules": [{"rulePriority": "first", "action": {"type": "expires"}, "selection": {}}]}`,
		"log": `{"time":"2026-11-22T03:00:03Z","level":"INFO","msg":"run","run_id":"r","mode":"apply"}`,
	} {
		awstest.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	const bare = ` --config {"protect":{"inUse":[]}}`
	for _, line := range []string{
		"plan" + bare, "plan -o wide" + bare, "apply" + bare, "apply --yes -o wide" + bare, "apply --yes" + bare,
		"plan --max-deletions-per-repository 1" + bare, "plan --max-deletions 1" + bare, "policies" + bare,
		"plan", "explain " + longName + " v3", "delete " + longName + " v3 v4 --yes" + bare, "delete app v30", "delete app --older-than 30d --all-tags" + bare, "plan --images app:v3" + bare, "plan --images " + longName + ":v29" + bare, "delete app v3" + bare,
		"attach --policy DIR/policy.json", "attach --policy DIR/policy.json --yes", "attach --detach --yes" + bare,
		"check DIR/bad.json", "check DIR/policy.json", "check -c DIR/bad.json", "preview --policy DIR/policy.json --images DIR/images.json",
		"plan --out DIR/plan.json -o json" + bare, "show DIR/plan.json", "show DIR/plan.json -o wide", "diff DIR/plan.json" + bare, "show DIR/bad.json",
		"audit DIR/log", "audit DIR/bad.json", "demo", "version", "nothing", "plan --config DIR/missing.json --nothing",
	} {
		if strings.HasSuffix(line, "-o json"+bare) {
			_, _, stderr := runFilled(t, longNamed(), strings.NewReader(""), time.Now, strings.Fields(strings.ReplaceAll(line, "DIR", dir))...)
			awstest.Equal(t, "standard error", "", stderr)
			continue
		}
		for _, width := range []int{80, 120} {
			on := terminal.Terminal{Width: width, Colour: true}
			words := strings.Fields(strings.ReplaceAll(line, "DIR", dir))
			_, stdout, stderr := runIn(t, terminal.Streams{Out: on, Err: on}, longNamed(), strings.NewReader("yes\n"), time.Now, words...)
			for printed := range strings.SplitSeq(stdout+stderr, "\n") {
				if text.Width(printed) > width && strings.Contains(strings.TrimSpace(printed), " ") {
					t.Errorf("%s at %d columns prints a line of %d: %s", line, width, text.Width(printed), printed)
				}
			}
		}
	}
}

// What is different in a column comes before what does not fit.
func TestANarrowScreenSaysWhatMatters(t *testing.T) {
	t.Parallel()
	on := terminal.Terminal{Width: 80}
	for line, want := range map[string]string{
		"policies":              "without/any/…mages/from/it  none attached      -  matches *",
		"plan --images app:v29": "kept: app sha256:",
	} {
		_, stdout, _ := runIn(t, terminal.Streams{Out: on, Err: on}, longNamed(), strings.NewReader(""), time.Now, strings.Fields(line+` --config {"protect":{"inUse":[]}}`)...)
		awstest.Contains(t, stdout, want)
	}
}

// In a pipe, a line stays whole, whatever COLUMNS says, so that grep finds it.
func TestNothingIsCutInAPipe(t *testing.T) {
	t.Parallel()
	_, stdout, _ := runFilled(t, longNamed(), strings.NewReader(""), time.Now, "plan", "--config", `{"protect":{"inUse":[]}}`)
	awstest.Contains(t, stdout, longName+"  ")
	if strings.Contains(stdout, "…") || strings.Contains(stdout, "\x1b") {
		t.Errorf("a pipe gets\n%s", stdout)
	}
	_, stdout, _ = runFilled(t, longNamed(), strings.NewReader(""), time.Now, "plan", "--color", "always", "--config", `{"protect":{"inUse":[]}}`)
	awstest.Contains(t, stdout, "\x1b[31m")
}

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// commandLines has arguments for every command that work. INPUT stands for the folder
// of the inputs.
var commandLines = map[string]string{
	"plan": "plan", "apply": "apply --yes", "delete": `delete app v1 --yes --config {"protect":{"inUse":[]}}`, "explain": `explain app v1 --config {"protect":{"inUse":[]}}`, "policies": "policies",
	"preview": "preview --policy INPUT/policy.json --images INPUT/images.json --now 2026-01-01T00:00:00Z",
	"check":   "check INPUT/policy.json", "convert": "convert INPUT/policy.json", "attach": "attach --policy INPUT/policy.json --yes", "adopt": "adopt",
	"references": `references --config {"protect":{"inUse":[],"references":["INPUT/references"]}}`, "kubernetes-role": "kubernetes-role", "audit": "audit INPUT/log", "show": "show INPUT/plan.json", "diff": "diff INPUT/plan.json", "invoke": "invoke INPUT/event.json", "demo": "demo", "version": "version",
	"init":  "init --out /dev/null",
	"fleet": "fleet", "fleet plan": "fleet plan", "fleet apply": "fleet apply", "fleet status": "fleet status", "fleet report": "fleet report INPUT/fleet.json",
}

// changing matches the text that differs between two runs of the same command.
var changing = regexp.MustCompile(`"?(runId|start|end|imagePushedAt)"?: ?"[^"]*"|\d{4}-\d\d-\d\dT[0-9:.]+Z|\d+d ago|\w{10,}`)

// eachCommand returns the commands of the program by name.
func eachCommand() map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	for _, g := range groups {
		for _, command := range g.commands {
			c := command.make(&session.Flags{Env: env.Env{Getenv: func(string) string { return "" }}})
			all[c.Name()] = c
			for _, sub := range c.Commands() {
				all[c.Name()+" "+sub.Name()] = sub
			}
		}
	}
	return all
}

// Giving a flag the default that the help shows changes nothing.
func TestEveryDefaultIsWhatHappens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range inputs {
		awstest.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for name, c := range eachCommand() {
		line, ok := commandLines[name]
		if !ok {
			t.Errorf("%s has no command line here", name)
			continue
		}
		words := strings.Fields(strings.ReplaceAll(line, "INPUT", dir))
		outcome := func(more ...string) string {
			registry := fakeecr.New()
			registry.CreateRepository("app")
			old := time.Now().AddDate(0, 0, -60)
			registry.Put("app", fakeecr.Image{Tags: []string{"v1"}, PushedAt: old})
			registry.Put("app", fakeecr.Image{Tags: []string{"v2"}, PushedAt: old.Add(time.Hour)})
			status, stdout, _ := runFilled(t, registry, strings.NewReader(""), time.Now, append(words, more...)...)
			return string(rune('0'+status)) + changing.ReplaceAllString(stdout, "…")
		}
		usual := outcome()
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !showsDefault(f) {
				return
			}
			if got := outcome("--" + f.Name + "=" + f.DefValue); got != usual {
				t.Errorf("%s --%s: the help shows the default %s; with that it prints %q, without %q", name, f.Name, f.DefValue, got, usual)
			}
		})
		if f := c.Flags().Lookup("output"); f != nil && name != "adopt" && name != "fleet plan" { // adopt uses it only with --out; the script has that of the other
			for _, format := range []string{"table", "json"} {
				text := outcome("--output=" + format)[1:]
				if isJSON := strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["); isJSON != (format == "json") {
					t.Errorf("%s --output %s prints %q", name, format, text)
				}
			}
		}
	}
}

// showsDefault reports whether the help of the flag shows its default.
func showsDefault(f *pflag.Flag) bool {
	alone := pflag.NewFlagSet("", pflag.ContinueOnError)
	alone.AddFlag(f)
	return strings.Contains(alone.FlagUsages(), "(default ")
}

// account are the flags of all commands that call AWS; a script with one of the commands has each.
var account = []string{"profile", "region", "allow-exec"}

func TestEveryFlagIsInAScript(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	awstest.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		awstest.NoError(t, err)
		lines.Write(text)
	}
	for name, c := range eachCommand() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			of := name
			if slices.Contains(account, f.Name) {
				of = `[a-z]+`
			}
			flag := "--" + f.Name
			if f.Shorthand != "" {
				flag = "(" + flag + "|-" + f.Shorthand + ")"
			}
			if !regexp.MustCompile(`ecrclean ` + of + `\b.* ` + flag + `\b`).MatchString(lines.String()) {
				t.Errorf("no script has %s --%s", name, f.Name)
			}
		})
	}
}

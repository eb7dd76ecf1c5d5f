package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// screenBlock matches a block with a command and its output.
var screenBlock = regexp.MustCompile("(?s)```text\n\\$ (ecrclean [^\n]*)\n.*?```")

// TestScreens runs the commands of docs/screens.md in their order, in a terminal of 80 columns,
// and compares their output. They use the registry and the files of testdata/screens.txtar, and
// the examples. With -update it rewrites the page. The README has blocks of the page.
func TestScreens(t *testing.T) {
	t.Parallel()
	page, readme := filepath.Join("..", "..", "docs", "screens.md"), filepath.Join("..", "..", "README.md")
	made := time.Now().Truncate(time.Second)
	dir, registry := t.TempDir(), newScriptRegistry()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "screens.txtar"))
	awstest.NoError(t, err)
	for _, f := range archive.Files {
		awstest.NoError(t, os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600))
		if operation, ok := strings.CutPrefix(f.Name, "answer-"); ok {
			registry.answers[operation] = string(f.Data)
		}
	}
	awstest.NoError(t, os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join("..", "..", "examples"))))
	awstest.NoError(t, registry.seed(dir, atInstants(fileText(t, filepath.Join(dir, "registry")), made)))
	server := httptest.NewServer(registry)
	t.Cleanup(server.Close)
	old := fileText(t, page)
	commands := 0
	got := screenBlock.ReplaceAllStringFunc(old, func(block string) string {
		commands++
		line := screenBlock.FindStringSubmatch(block)[1]
		p := prepare(t, registry.server, "-c", line)
		p.Path, p.Args[0], p.Dir = "/bin/bash", "bash", dir
		p.Env = append(p.Env, "AWS_ENDPOINT_URL="+server.URL, "CLEANER_CONFIG=")
		_, s := p.inTerminal(t, 80, "yes")
		return "```text\n$ " + line + "\n" + steady(strings.TrimRight(strings.Join(s.lines, "\n"), "\n"), made) + "\n```"
	})
	if *update {
		awstest.NoError(t, os.WriteFile(page, []byte(got), 0o600))
	} else {
		awstest.Equal(t, "docs/screens.md; go test ./cmd/ecrclean -run TestScreens -update rewrites it", got, old)
	}
	blocks := screenBlock.FindAllString(fileText(t, readme), -1)
	for _, block := range blocks {
		if !strings.Contains(got, block) {
			t.Errorf("docs/screens.md has no such block as the README:\n%s", block)
		}
	}
	if commands < 8 || len(blocks) == 0 {
		t.Errorf("docs/screens.md has %d commands, and the README %d of them", commands, len(blocks))
	}
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	awstest.NoError(t, err)
	return string(text)
}

var age = regexp.MustCompile(`\b(\d+)d\b`)

// atInstants replaces the ages of a registry by instants, which have no fraction of a second.
func atInstants(registry string, now time.Time) string {
	return age.ReplaceAllStringFunc(registry, func(text string) string {
		days, err := time.ParseDuration(strings.TrimSuffix(text, "d") + "h")
		if err != nil {
			return text
		}
		return now.Add(-24 * days).UTC().Format(time.RFC3339)
	})
}

var (
	instant = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	moment  = regexp.MustCompile(`, \d+ (seconds?|minutes?) ago;`)
	runID   = regexp.MustCompile(`\b[a-z2-7]{26}\b`)
)

// steady replaces what differs between two runs: the times begin with that of the page.
func steady(screen string, made time.Time) string {
	page := time.Date(2026, time.November, 30, 9, 0, 0, 0, time.UTC)
	screen = instant.ReplaceAllStringFunc(screen, func(text string) string {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return text
		}
		if at.After(made) {
			at = made.Add(at.Sub(made).Truncate(time.Hour)) // the test takes less
		}
		return at.Add(page.Sub(made)).Format(time.RFC3339)
	})
	screen = moment.ReplaceAllString(screen, ", now;")
	return runID.ReplaceAllString(screen, "l7kq3xw2tq5zr4m6ahbc2dnyfe")
}

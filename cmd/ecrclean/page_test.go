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
// the examples. The README has some of its blocks. With -update it rewrites both.
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
	onTerminal := func(line string) string {
		p := prepare(t, registry.server, "-c", line)
		p.Path, p.Args[0], p.Dir = "/bin/bash", "bash", dir
		p.Env = append(p.Env, "AWS_ENDPOINT_URL="+server.URL, "CLEANER_CONFIG=")
		_, s := p.inTerminal(t, 80, "yes")
		makeOlder(t, dir, made)
		return steady(strings.TrimRight(strings.Join(s.lines, "\n"), "\n"), made)
	}
	_ = onTerminal("ecrclean plan --policy examples/keep-10-for-90-days.json --out all.json")
	blocks := map[string]string{} // by command
	got := screenBlock.ReplaceAllStringFunc(old, func(block string) string {
		line := screenBlock.FindStringSubmatch(block)[1]
		blocks[line] = "```text\n$ " + line + "\n" + onTerminal(line) + "\n```"
		return blocks[line]
	})
	wantPage(t, page, old, got)
	shown := 0
	old = fileText(t, readme)
	wantPage(t, readme, old, screenBlock.ReplaceAllStringFunc(old, func(block string) string {
		shown++
		return blocks[screenBlock.FindStringSubmatch(block)[1]]
	}))
	if len(blocks) < 8 || shown == 0 {
		t.Errorf("docs/screens.md has %d commands, and the README %d of them", len(blocks), shown)
	}
}

// wantPage compares a page with its text, or rewrites it.
func wantPage(t *testing.T, name, old, text string) {
	t.Helper()
	if *update {
		awstest.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return
	}
	awstest.Equal(t, name+"; make golden rewrites it", text, old)
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	awstest.NoError(t, err)
	return string(text)
}

// makeOlder sets the times of the saved plans, because screens tell their age.
func makeOlder(t *testing.T, dir string, made time.Time) {
	t.Helper()
	for _, name := range []string{"plan.json", "all.json"} {
		name = filepath.Join(dir, name)
		if _, err := os.Stat(name); err == nil {
			at := made.Add(-150 * time.Minute).UTC().Format(time.RFC3339)
			awstest.NoError(t, os.WriteFile(name, []byte(planned.ReplaceAllString(fileText(t, name), `${1}"`+at+`"`)), 0o600))
		}
	}
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
	planned = regexp.MustCompile(`("(?:start|end)": )"[^"]*"`)
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
	return runID.ReplaceAllString(screen, "l7kq3xw2tq5zr4m6ahbc2dnyfe")
}

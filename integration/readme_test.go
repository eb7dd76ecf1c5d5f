//go:build integration

package integration_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// notHere marks a block whose commands need more than a machine with Go: it is before the block.
const notHere = "<!-- not run by the gate"

// TestCommandsOfThePagesRun runs the commands that a page tells a reader to type, in its
// order, in a copy of the repository and against moto. The first configuration is in
// cleaner.json, unless the page makes that file, and the first policy in policy.json. The tests
// of examples try the others. The commands that are gates themselves are only looked for in
// the gate.
func TestCommandsOfThePagesRun(t *testing.T) {
	t.Parallel()
	for page, least := range map[string]int{"README.md": 10, "docs/recipes.md": 3, "examples/README.md": 5} {
		awstest.Parallel(t, page, func(t *testing.T) {
			runCommands(t, page, least)
		})
	}
}

// runCommands runs the commands of a page, which has at least so many.
func runCommands(t *testing.T, page string, least int) {
	t.Helper()
	dir := copyTree(t)
	if page == "examples/README.md" {
		dir = filepath.Join(dir, "examples")
	}
	m := startSeeded(t, `{"region": "eu-west-1", "repositories": [{"name": "team/app", "images": [
		{"tags": ["v1.4.2"], "pushed_days_ago": 40}, {"pushed_days_ago": 50}, {"tags": ["latest"], "pushed_days_ago": 2}]}]}`)
	gate := readFile(t, filepath.Join("..", ".ci", "run"))
	documents, shell := blocks(t, page, "json"), blocks(t, page, "sh")
	made := slices.ContainsFunc(shell, func(block string) bool { return strings.Contains(block, "ecrclean init\n") })
	for _, text := range slices.Backward(documents) { // the first one of each kind stays
		name := "cleaner.json"
		if strings.HasPrefix(text, `{"rules"`) {
			name = "policy.json"
		} else if made {
			continue
		}
		awstest.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	script, commands := "set -e\naws s3 mb s3://example-bucket\n", 0
	for _, block := range shell {
		for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", "")) {
			commands++
			command, _, _ := strings.Cut(line, " #")
			command = strings.TrimSpace(command)
			if command != "make demo" && command != "make test" {
				script += "echo '$ " + strings.ReplaceAll(command, "'", `'\''`) + "'\n" + command + "\n"
			} else if !strings.Contains(gate, command) {
				t.Errorf("the gate does not run %q", command)
			}
		}
	}
	if commands < least {
		t.Fatalf("%s has %d commands, want %d", page, commands, least)
	}
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+binaries+":"+os.Getenv("PATH"), "AWS_ENDPOINT_URL="+m.url, "AWS_REGION=eu-west-1",
		"AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true", "CLEANER_CONFIG=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	awstest.NoError(t, err)
	return string(text)
}

// blocks returns the blocks of a page in a language, without those that are not run.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	var blocks []string
	text := readFile(t, filepath.Join("..", filepath.FromSlash(page)))
	for _, m := range regexp.MustCompile("(?s)("+notHere+"[^>]*-->\n\n)?```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		if m[1] == "" {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

// copyTree copies the files of the repository into a temporary folder.
func copyTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copying := exec.Command("bash", "-c", `set -o pipefail; git ls-files -co --exclude-standard -z | tar --null -T - --ignore-failed-read -c | tar -x -C "$0"`, dir)
	copying.Dir = ".."
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("copy the repository: %v\n%s", err, out)
	}
	return dir
}

//go:build integration

package integration_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// notHere marks the next block of the README: its commands need more than a machine with
// Go.
const notHere = "<!-- not run by the gate"

// TestReadmeCommandsRun runs the commands of the README in their order, in a copy of the
// repository and against moto. For commands that are quality gates it only checks that
// the gate has them.
func TestReadmeCommandsRun(t *testing.T) {
	t.Parallel()
	dir := copyTree(t)
	m := startSeeded(t, `{"region": "eu-west-1", "repositories": [{"name": "team/app", "images": [
		{"tags": ["v1.4.2"], "pushed_days_ago": 40}, {"pushed_days_ago": 50}, {"tags": ["latest"], "pushed_days_ago": 2}]}]}`)
	policy := `{"rules": [{"rulePriority": 1, "description": "untagged images go after two weeks", "selection":
		{"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}, "action": {"type": "expire"}}]}`
	if err := os.WriteFile(filepath.Join(dir, "policy.json"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	gate := readFile(t, filepath.Join("..", ".ci", "run"))
	script := "set -e\n"
	for _, line := range readmeCommands(t) {
		if line == "make demo" || line == "make test" {
			if !strings.Contains(gate, line) {
				t.Errorf("the gate does not run %q", line)
			}
			continue
		}
		script += "echo '$ " + strings.ReplaceAll(line, "'", `'\''`) + "'\n" + line + "\n"
	}
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+m.url, "AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true", "CLEANER_CONFIG=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readmeCommands returns the lines of the README's shell blocks.
func readmeCommands(t *testing.T) []string {
	t.Helper()
	var lines []string
	text := readFile(t, filepath.Join("..", "README.md"))
	for _, block := range regexp.MustCompile("(?s)("+notHere+"[^>]*-->\n\n)?```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		if block[1] != "" {
			continue
		}
		for line := range strings.Lines(block[2]) {
			command, _, _ := strings.Cut(line, " #")
			lines = append(lines, strings.TrimSpace(command))
		}
	}
	if len(lines) < 5 {
		t.Fatalf("the README has %d commands", len(lines))
	}
	return lines
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

//go:build integration

// The end-to-end tests run both released programs against moto's server, which we do not
// maintain. They need Python with moto, the AWS command-line interface, and the scripts
// in the folder of the environment variable ECR_CLEANER_SHARED.
package integration_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaries is the folder of the programs bootstrap and ecrclean.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	for _, args := range [][]string{
		{"build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "bootstrap"), "../cmd/cleaner"},
		{"build", "-o", filepath.Join(dir, "ecrclean"), "../cmd/ecrclean"},
	} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go %v: %v\n%s", args, err, out)
			return 1
		}
	}
	binaries = dir
	return m.Run()
}

// shared returns the folder of scripts. Without the folder the test is skipped, or fails
// if CI is set.
func shared(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("ECR_CLEANER_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "tools", "moto_faithful.py"))
	}
	if err == nil {
		return dir
	}
	const message = "moto's helpers are missing (%v); set ECR_CLEANER_SHARED to the folder that has tools/moto_faithful.py"
	if os.Getenv("CI") != "" {
		t.Fatalf(message, err)
	}
	t.Skipf(message, err)
	return ""
}

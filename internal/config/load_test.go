package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// noFile fails a test in which a file is opened.
func noFile(t *testing.T) func(string) ([]byte, error) {
	t.Helper()
	return func(name string) ([]byte, error) {
		t.Errorf("the file %s is opened", name)
		return nil, os.ErrNotExist
	}
}

func TestLoadWithoutLocationIsTheDefault(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"", " \n"} {
		c, warnings, err := config.Load(location, noFile(t))
		if err != nil || len(warnings) > 0 {
			t.Fatalf("Load(%q): %v, %v", location, warnings, err)
		}
		if diff := cmp.Diff(config.Default(), c); diff != "" {
			t.Errorf("Load(%q) mismatch (-want +got):\n%s", location, diff)
		}
	}
}

func TestLoadTakesTheTextItself(t *testing.T) {
	t.Parallel()
	c, _, err := config.Load("\n {\"mode\": \"apply\"}", noFile(t))
	if err != nil || c.Mode != config.Apply {
		t.Errorf("Load: mode %q, %v", c.Mode, err)
	}
	_, _, err = config.Load("\n{\"mode\": 1}", noFile(t))
	if got, want := errorText(err), "configuration: 2:10: mode: must be a string, is a number"; got != want {
		t.Errorf("Load: error %q, want %q", got, want)
	}
	if problems, ok := errors.AsType[jsondoc.Problems](err); !ok || problems[0].Path != "mode" {
		t.Errorf("Load: the error %v does not hold the problems", err)
	}
}

func TestLoadReadsAFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "c.json")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"mode": "apply"}`)
	c, _, err := config.Load(" "+name+"\n", os.ReadFile)
	if err != nil || c.Mode != config.Apply {
		t.Errorf("Load: mode %q, %v", c.Mode, err)
	}
	write(`{"mode": "go"}`)
	_, _, err = config.Load(name, os.ReadFile)
	if got, want := errorText(err), "configuration "+name+`: 1:10: mode: "go" is not known: use "plan", "apply"`; got != want {
		t.Errorf("Load: error %q, want %q", got, want)
	}
}

func TestLoadReturnsWarnings(t *testing.T) {
	t.Parallel()
	c, warnings, err := config.Load(`{"policies": [{"name": "w", "policy": {"rules": [{"rulePriority": 1,
		"selection": {"tagStatus": "tagged", "tagPrefixList": ["*"], "countType": "imageCountMoreThan", "countNumber": 1},
		"action": {"type": "expire"}}]}}]}`, noFile(t))
	if err != nil || len(warnings) != 1 || !warnings[0].Warning || c.Policies[0].Name != "w" {
		t.Errorf("Load: %+v, %v, %v", c, warnings, err)
	}
}

func TestLoadNamesAFileThatIsMissing(t *testing.T) {
	t.Parallel()
	_, _, err := config.Load("no-such-file.json", os.ReadFile)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v is not that of the file", err)
	}
	if got, want := errorText(err), "read configuration: open no-such-file.json: no such file or directory"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestLoadRefusesSourcesThatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"s3://bucket/key.json", "ssm:/cleaner/config", " s3://b "} {
		_, _, err := config.Load(location, noFile(t))
		if !errors.Is(err, config.ErrUnsupportedSource) {
			t.Errorf("Load(%q): %v", location, err)
		}
	}
	_, _, err := config.Load("ssm:/a", noFile(t))
	if got, want := errorText(err), "configuration ssm:/a is not read by this version: name a file, or give the JSON text itself"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

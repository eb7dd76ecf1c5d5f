package config_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// nothing fails a test in which something is read.
func nothing(t *testing.T) config.Reader {
	t.Helper()
	return func(_ context.Context, location string) ([]byte, error) {
		t.Errorf("%s is read", location)
		return nil, os.ErrNotExist
	}
}

// file reads a file.
func file(_ context.Context, name string) ([]byte, error) { return os.ReadFile(name) }

func TestLoadWithoutLocationIsTheDefault(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"", " \n"} {
		c, warnings, err := config.Load(t.Context(), location, nothing(t))
		if err != nil || len(warnings) > 0 {
			t.Fatalf("Load(%q): %v, %v", location, warnings, err)
		}
		equal(t, "Load("+location+")", config.Default(), c)
	}
}

func TestLoadTakesTheTextItself(t *testing.T) {
	t.Parallel()
	c, _, err := config.Load(t.Context(), "\n {\"mode\": \"apply\"}", nothing(t))
	if err != nil || c.Mode != config.Apply {
		t.Errorf("Load: mode %q, %v", c.Mode, err)
	}
	c, _, err = config.Load(t.Context(), " // {\n{\"mode\": // \"plan\"\n\"apply\"}", nothing(t))
	if err != nil || c.Mode != config.Apply {
		t.Errorf("Load with comments: mode %q, %v", c.Mode, err)
	}
	_, _, err = config.Load(t.Context(), "\n{\"mode\": 1}", nothing(t))
	equal(t, "Load: error", "configuration: 2:10: mode: must be a string, is a number", errorText(err))
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
	c, _, err := config.Load(t.Context(), " "+name+"\n", file)
	if err != nil || c.Mode != config.Apply {
		t.Errorf("Load: mode %q, %v", c.Mode, err)
	}
	write(`{"mode": "go"}`)
	_, _, err = config.Load(t.Context(), name, file)
	equal(t, "Load: error", "configuration "+name+`: 1:10: mode: "go" is not known: use "plan", "apply", "references"`, errorText(err))
}

func TestLoadReturnsWarnings(t *testing.T) {
	t.Parallel()
	c, warnings, err := config.Load(t.Context(), `{"policies": [{"name": "w", "policy": {"rules": [{"rulePriority": 1,
		"selection": {"tagStatus": "tagged", "tagPrefixList": ["*"], "countType": "imageCountMoreThan", "countNumber": 1},
		"action": {"type": "expire"}}]}}]}`, nothing(t))
	if err != nil || len(warnings) != 1 || !warnings[0].Warning || c.Policies[0].Name != "w" {
		t.Errorf("Load: %+v, %v, %v", c, warnings, err)
	}
}

func TestLoadNamesAFileThatIsMissing(t *testing.T) {
	t.Parallel()
	_, _, err := config.Load(t.Context(), "no-such-file.json", file)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v is not that of the file", err)
	}
	equal(t, "error", "read configuration: open no-such-file.json: no such file or directory", errorText(err))
}

// Where a text is, is the reader's matter; problems in it name the place.
func TestLoadReadsAnyLocation(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"s3://bucket/key.json", "ssm:/cleaner/config", "file"} {
		text := `{"mode": "apply"}`
		read := func(_ context.Context, asked string) ([]byte, error) {
			equal(t, "location that is read", location, asked)
			return []byte(text), nil
		}
		c, _, err := config.Load(t.Context(), " "+location+"\n", read)
		if err != nil || c.Mode != config.Apply {
			t.Errorf("Load(%s): mode %q, %v", location, c.Mode, err)
		}
		text = "{\n\"mode\": 1}"
		_, _, err = config.Load(t.Context(), location, read)
		equal(t, "error", "configuration "+location+": 2:9: mode: must be a string, is a number", errorText(err))
		text = strings.Repeat(" ", config.MaxBytes+1)
		_, _, err = config.Load(t.Context(), location, read)
		equal(t, "error", "configuration "+location+": 1:1: has more than 1048576 bytes, which is the most that is read; shorten it", errorText(err))
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

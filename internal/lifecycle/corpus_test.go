package lifecycle_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Policies published in public repositories, with what ECR makes of them.
func TestParseTextAgreesWithCorpus(t *testing.T) {
	t.Parallel()
	var valid map[string]bool
	folder := filepath.Join("testdata", "corpus")
	decode(t, filepath.Join(folder, "index.json"), &valid)
	if len(valid) == 0 {
		t.Fatal("the index of the corpus is empty")
	}
	for name, want := range valid {
		checkVerdict(t, filepath.Join(folder, name), want)
	}
}

// ECR_CLEANER_CORPUS names a folder with a larger collection of the same kind,
// which is not part of this repository.
func TestParseTextAgreesWithWholeCorpus(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("ECR_CLEANER_CORPUS")
	if folder == "" {
		t.Skip("ECR_CLEANER_CORPUS does not name the folder of the whole corpus")
	}
	var index []struct {
		File       string
		ValidOnAWS any // true, false or "doubtful"
	}
	decode(t, filepath.Join(folder, "index.json"), &index)
	checked := 0
	for _, entry := range index {
		if want, certain := entry.ValidOnAWS.(bool); certain {
			checkVerdict(t, filepath.Join(folder, entry.File), want)
			checked++
		}
	}
	if checked == 0 {
		t.Fatalf("the index in %s has no document with a verdict", folder)
	}
}

func checkVerdict(t *testing.T, file string, want bool) {
	t.Helper()
	p, ps := lifecycle.ParseText(corpus.File(t, file))
	if got := ps.Err() == nil; got != want {
		t.Errorf("ParseText(%s) valid = %v, want %v:\n%s", file, got, want, corpus.Lines(ps))
	}
	if ps.Err() == nil {
		extended, extendedProblems := lifecycle.Parse(corpus.File(t, file), lifecycle.Extended)
		if diff := cmp.Diff(p, extended) + cmp.Diff(ps, extendedProblems); diff != "" {
			t.Errorf("Parse(%s) differs (-AWS +Extended):\n%s", file, diff)
		}
	}
}

func decode(t *testing.T, file string, target any) {
	t.Helper()
	if err := json.Unmarshal(corpus.File(t, file), target); err != nil {
		t.Fatalf("decode %s: %v", file, err)
	}
}

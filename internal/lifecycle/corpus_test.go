package lifecycle_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
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
	equal(t, "ParseText("+file+") valid", want, ps.Err() == nil)
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

// texts returns the policies of a folder of testdata by name.
func texts(tb testing.TB, folder string) map[string][]byte {
	tb.Helper()
	return corpus.Files(tb, filepath.Join("testdata", folder, "*.json"))
}

// readers read the folders of testdata: the policies in AWS's dialect as texts for ECR,
// those in the extended dialect as in a configuration.
var readers = map[string]func([]byte) (lifecycle.Policy, jsondoc.Problems){
	"": lifecycle.ParseText,
	"extended": func(text []byte) (lifecycle.Policy, jsondoc.Problems) {
		return lifecycle.Parse(text, lifecycle.Extended)
	},
}

// forEach runs a test on the policies of a folder in each dialect.
func forEach(t *testing.T, folder string, check func(t *testing.T, file string, p lifecycle.Policy, ps jsondoc.Problems)) {
	t.Helper()
	for dialect, read := range readers {
		folder := filepath.Join(dialect, folder)
		for name, text := range texts(t, folder) {
			t.Run(filepath.Join(dialect, name), func(t *testing.T) {
				t.Parallel()
				p, ps := read(text)
				check(t, filepath.Join("testdata", folder, name+".err"), p, ps)
			})
		}
	}
}

func TestParseAcceptsValidPolicies(t *testing.T) {
	t.Parallel()
	forEach(t, "valid", func(t *testing.T, _ string, p lifecycle.Policy, ps jsondoc.Problems) {
		t.Helper()
		if len(ps) > 0 {
			t.Fatalf("has problems:\n%s", corpus.Lines(ps))
		}
		if len(p.Rules) == 0 {
			t.Error("returned no rules")
		}
	})
}

func TestParseReportsEveryFault(t *testing.T) {
	t.Parallel()
	forEach(t, "invalid", func(t *testing.T, file string, p lifecycle.Policy, ps jsondoc.Problems) {
		t.Helper()
		corpus.Golden(t, file, corpus.Lines(ps))
		if ps.Err() == nil {
			t.Error("found no fault")
		}
		if p.Rules != nil {
			t.Errorf("returned a policy beside a fault: %v", p)
		}
	})
}

func TestParseWarns(t *testing.T) {
	t.Parallel()
	forEach(t, "warning", func(t *testing.T, file string, p lifecycle.Policy, ps jsondoc.Problems) {
		t.Helper()
		corpus.Golden(t, file, corpus.Lines(ps))
		if ps.Err() != nil || len(ps.Warnings()) == 0 {
			t.Errorf("want warnings only, got:\n%s", corpus.Lines(ps))
		}
		if len(p.Rules) == 0 {
			t.Error("returned no rules")
		}
	})
}

package lifecycle_test

import (
	"path/filepath"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

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

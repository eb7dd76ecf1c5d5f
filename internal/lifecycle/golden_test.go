package lifecycle_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

var update = flag.Bool("update", false, "rewrite the expected problems in testdata")

// texts returns the policy texts of a folder of testdata by name. A folder
// without any is a fault of the test.
func texts(tb testing.TB, folder string) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no policies in testdata/%s (%v)", folder, err)
	}
	found := map[string][]byte{}
	for _, file := range files {
		found[strings.TrimSuffix(filepath.Base(file), ".json")] = readFile(tb, file)
	}
	return found
}

func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func lines(ps jsondoc.Problems) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

// checkProblems compares problems with those expected in the .err file.
func checkProblems(t *testing.T, file string, ps jsondoc.Problems) {
	t.Helper()
	got := lines(ps)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, file)), got); diff != "" {
		t.Errorf("problems mismatch (-want +got):\n%s", diff)
	}
}

// readers read the folders of testdata: those of ECR's grammar as texts for
// ECR, those of the extended dialect as the configuration has them.
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
			t.Fatalf("has problems:\n%s", lines(ps))
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
		checkProblems(t, file, ps)
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
		checkProblems(t, file, ps)
		if ps.Err() != nil || len(ps.Warnings()) == 0 {
			t.Errorf("want warnings only, got:\n%s", lines(ps))
		}
		if len(p.Rules) == 0 {
			t.Error("returned no rules")
		}
	})
}

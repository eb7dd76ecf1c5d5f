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

func TestParseTextAcceptsValidPolicies(t *testing.T) {
	t.Parallel()
	for name, text := range texts(t, "valid") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ps := lifecycle.ParseText(text)
			if len(ps) > 0 {
				t.Fatalf("ParseText(%s) has problems:\n%s", name, lines(ps))
			}
			if len(p.Rules) == 0 {
				t.Errorf("ParseText(%s) returned no rules", name)
			}
		})
	}
}

func TestParseTextReportsEveryFault(t *testing.T) {
	t.Parallel()
	for name, text := range texts(t, "invalid") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ps := lifecycle.ParseText(text)
			checkProblems(t, filepath.Join("testdata", "invalid", name+".err"), ps)
			if ps.Err() == nil {
				t.Errorf("ParseText(%s) found no fault", name)
			}
			if p.Rules != nil {
				t.Errorf("ParseText(%s) returned a policy beside a fault: %v", name, p)
			}
		})
	}
}

func TestParseTextWarns(t *testing.T) {
	t.Parallel()
	for name, text := range texts(t, "warning") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ps := lifecycle.ParseText(text)
			checkProblems(t, filepath.Join("testdata", "warning", name+".err"), ps)
			if ps.Err() != nil || len(ps.Warnings()) == 0 {
				t.Errorf("ParseText(%s): want warnings only, got:\n%s", name, lines(ps))
			}
			if len(p.Rules) == 0 {
				t.Errorf("ParseText(%s) returned no rules", name)
			}
		})
	}
}

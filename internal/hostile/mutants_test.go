package hostile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutants checks that the code contains each quote of testdata/mutants.txt exactly
// once. Otherwise scripts/mutants.py cannot make the mutant.
func TestMutants(t *testing.T) {
	t.Parallel()
	list := readFile(t, "testdata/mutants.txt")
	mutants := strings.Split(list, "\n# ")[1:]
	if len(mutants) == 0 {
		t.Error("the list has no mutants")
	}
	for _, mutant := range mutants {
		name, text, _ := strings.Cut(mutant, "\n")
		changes := strings.Split("\n"+text, "\n@ ")[1:]
		if len(changes) == 0 {
			t.Errorf("%s: the mutant has no changes", name)
		}
		for _, change := range changes {
			file, lines, _ := strings.Cut(change, "\n")
			var quote strings.Builder
			for line := range strings.SplitSeq(lines, "\n") {
				if old, quoted := strings.CutPrefix(line, "-"); quoted {
					quote.WriteString(old + "\n")
				}
			}
			if n := strings.Count(readFile(t, filepath.Join("../..", file)), quote.String()); n != 1 {
				t.Errorf("%s: %s contains these lines %d times:\n%s", name, file, n, &quote)
			}
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

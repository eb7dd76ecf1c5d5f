package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/policyfile/source"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// result returns the policies in files of the current directory, with the problems of each
// as check prints them.
func result(names ...string) string {
	policies, err := source.Read(names, os.ReadFile)
	if err != nil {
		return err.Error() + "\n"
	}
	var lines strings.Builder
	for _, p := range policies {
		problems := p.Problems
		if problems == nil {
			_, problems = lifecycle.ParseText(p.Text)
		}
		status := "ok"
		switch {
		case p.NotRead:
			status = "not read"
		case problems.Err() != nil:
			status = "not valid"
		}
		fmt.Fprintf(&lines, "%s: %s: %s\n", p.File, p.Address, status)
		for _, problem := range p.InFile(problems) {
			fmt.Fprintf(&lines, "%s:%s\n", p.File, problem)
		}
	}
	return lines.String()
}

// Each archive has the arguments of check in the last line of its comment, files, and the
// result as its last file.
func TestPoliciesAreReadWherePeopleWriteThem(t *testing.T) {
	archives, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range archives {
		archive, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a := txtar.Parse(corpus.File(t, archive))
			comment := strings.Split(strings.TrimSpace(string(a.Comment)), "\n")
			args, ok := strings.CutPrefix(comment[len(comment)-1], "check ")
			want := len(a.Files) - 1
			if !ok || a.Files[want].Name != "want" {
				t.Fatal("the archive has no arguments, or no want")
			}
			t.Chdir(t.TempDir())
			unpack(t, a.Files[:want])
			a.Files[want].Data = []byte(result(strings.Fields(args)...))
			corpus.Golden(t, archive, string(txtar.Format(a)))
		})
	}
}

// unpack writes files to the current directory.
func unpack(t *testing.T, files []txtar.File) {
	t.Helper()
	for _, f := range files {
		if strings.HasPrefix(f.Name, "crlf-") {
			f.Data = []byte(strings.ReplaceAll(string(f.Data), "\n", "\r\n"))
		}
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The parser of HCL is recursive: so many brackets would end the program.
func TestTooManyBracketsAreAProblem(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"(", "[", "{", "-", "!", "a ? ", "1 + ", "${"} {
		policies := read(t, "main.tf", `x = "`+strings.Repeat(unit, 1<<20/len(unit)))
		if len(policies) != 1 || !strings.HasPrefix(policies[0].Problems.Error(), "1:1: has too many brackets or operators; ") {
			t.Errorf("%s: %v", unit, policies)
		}
	}
}

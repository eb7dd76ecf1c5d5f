package convert_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/ecr-cleaner/ecr-cleaner/internal/convert"
)

var update = flag.Bool("update", false, "rewrite the sections told and want of testdata")

// TestCorpus converts the policy of each file of testdata. The section told has
// the problems, the section want the result, and is empty if there is none.
func TestCorpus(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			checkFile(t, file)
		})
	}
}

func checkFile(t *testing.T, file string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.Files) != 3 || archive.Files[0].Name != "policy.json" || archive.Files[1].Name != "told" || archive.Files[2].Name != "want" {
		t.Fatalf("%s has other sections than policy.json, told and want", file)
	}
	told, want := sections(t, archive.Files[0].Data)
	if *update {
		archive.Files[1].Data, archive.Files[2].Data = told, want
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(archive.Files[1].Data), string(told)) + cmp.Diff(string(archive.Files[2].Data), string(want)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func sections(t *testing.T, text []byte) (told, want []byte) {
	t.Helper()
	policy, problems := convert.Policy(text)
	for _, p := range problems {
		told = append(told, p.String()+"\n"...)
	}
	if policy.Rules == nil {
		return told, nil
	}
	lines := strings.Split(strings.TrimSuffix(printed(t, policy), "]}"), `{"rulePriority"`)
	return told, []byte(strings.Join(lines, "\n  "+`{"rulePriority"`) + "\n]}\n")
}

func printed(t *testing.T, policy json.Marshaler) string {
	t.Helper()
	text, err := policy.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(text))
}

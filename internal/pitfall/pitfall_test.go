package pitfall_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pitfall"
)

var update = flag.Bool("update", false, "rewrite the section want of testdata")

// TestCorpus surveys the images of each file of testdata with its policy, and
// compares the warnings. A line of images has the repository, the tags and, if
// there are several such images, their number; the tag archived stands for the
// storage class.
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
	if len(archive.Files) != 3 || archive.Files[0].Name != "policy.json" || archive.Files[1].Name != "images" || archive.Files[2].Name != "want" {
		t.Fatalf("%s has other sections than policy.json, images and want", file)
	}
	var got strings.Builder
	for _, p := range survey(t, archive.Files[0].Data, images(t, string(archive.Files[1].Data))) {
		got.WriteString(p.String() + "\n")
	}
	if *update {
		archive.Files[2].Data = []byte(got.String())
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(archive.Files[2].Data), got.String()); diff != "" {
		t.Errorf("warnings mismatch (-want +got):\n%s", diff)
	}
}

func survey(t *testing.T, text []byte, registry map[string][]evaluator.Image) jsondoc.Problems {
	t.Helper()
	policy, known := lifecycle.Parse(text, lifecycle.Extended)
	if known.Err() != nil {
		t.Fatal(known)
	}
	s := pitfall.NewSurvey(policy)
	for _, name := range []string{"", "team/api", "team/web"} {
		s.Add(name, registry[name])
		delete(registry, name)
	}
	if len(registry) > 0 {
		t.Fatalf("unknown repositories: %v", registry)
	}
	doc := jsondoc.Parse(text)
	s.Warn(doc.Root(), known)
	return doc.Problems()
}

func images(t *testing.T, table string) map[string][]evaluator.Image {
	t.Helper()
	registry := map[string][]evaluator.Image{}
	for line := range strings.Lines(table) {
		cells := append(strings.Fields(line), "1")
		n, err := strconv.Atoi(cells[2])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		name := strings.TrimPrefix(cells[0], "-")
		for range n {
			im := evaluator.Image{
				Digest: fmt.Sprint(len(registry[name])), Status: evaluator.Active, PushedAt: evaluator.At(time.Unix(1, 0)), Tags: strings.Split(cells[1], ","),
			}
			if im.Tags[0] == "archived" {
				im.Status = evaluator.Archived
			}
			registry[name] = append(registry[name], im)
		}
	}
	return registry
}

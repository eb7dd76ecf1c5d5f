package evaluator_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

var update = flag.Bool("update", false, "rewrite the want section of each corpus file")

// corpus returns the cases of the corpus by name.
func corpus(t *testing.T) map[string]corpusCase {
	t.Helper()
	cases := map[string]corpusCase{}
	for folder, dialect := range map[string]lifecycle.Dialect{"": lifecycle.AWS, "extended": lifecycle.Extended} {
		files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no corpus files in testdata/%s (%v)", folder, err)
		}
		for _, file := range files {
			cases[filepath.Join(folder, strings.TrimSuffix(filepath.Base(file), ".txtar"))] = readCase(t, file, dialect)
		}
	}
	return cases
}

func readCase(t *testing.T, file string, dialect lifecycle.Dialect) corpusCase {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCase(data, dialect)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, c := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := wantTable(evaluator.Evaluate(c.policy, c.images, c.now))
			if *update {
				rewriteWant(t, "testdata/"+name+".txtar", got)
				return
			}
			if err := checkWant(c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(rows(c.want), rows(got)); diff != "" {
				t.Errorf("Evaluate(%s) mismatch (-want +got):\n%s", name, diff)
			}
		})
	}
}

// rewriteWant replaces the want section of a corpus file.
func rewriteWant(t *testing.T, file, want string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(want)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCorpusRejects(t *testing.T) {
	t.Parallel()
	const (
		head   = "A sentence.\nhttps://docs.aws.amazon.com/x\nnow: 2026-03-01T00:00:00Z\n"
		policy = `-- policy.json --
{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}
`
		images = "-- images --\n# digest  pushed  tags\nsha256:a  1d  x\n"
		want   = "-- want --\nsha256:a  keep  rule 1  words\n"
	)
	if _, err := parseCase([]byte(head+policy+images+want), lifecycle.AWS); err != nil {
		t.Fatalf("the base case is rejected: %v", err)
	}
	tests := map[string]string{
		"no now":                   strings.Replace(head, "now:", "later:", 1) + policy + images + want,
		"no link":                  strings.Replace(head, "https:", "file:", 1) + policy + images + want,
		"unknown section":          head + policy + images + want + "-- wants --\n",
		"repeated section":         head + policy + images + want + images,
		"no policy":                head + images + want,
		"bad policy":               head + strings.Replace(policy, "any", "some", 1) + images + want,
		"extension":                head + strings.Replace(policy, `"countType"`, `"tagExcludePatternList": ["x"], "countType"`, 1) + images + want,
		"no images":                head + policy + want,
		"no header":                head + policy + strings.Replace(images, "# ", "", 1) + want,
		"unknown column":           head + policy + strings.Replace(images, "tags", "labels", 1) + want,
		"missing cell":             head + policy + strings.Replace(images, "  x", "", 1) + want,
		"bad age":                  head + policy + strings.Replace(images, "1d", "1 day", 1) + want,
		"repeated digest":          head + policy + images + "sha256:a  2d  y\n" + want,
		"no expectation":           head + policy + images,
		"empty expectation":        head + policy + images + "-- want --\n",
		"image not expected":       head + policy + images + "sha256:b  1d  x\n" + want,
		"expectation of no image":  head + policy + images + want + "sha256:b  keep  rule 1  words\n",
		"expectation out of order": head + policy + images + "sha256:b  1d  x\n-- want --\nsha256:b  keep  -  w\nsha256:a  keep  -  w\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := parseCase([]byte(text), lifecycle.AWS)
			if err == nil {
				err = checkWant(c)
			}
			if err == nil {
				t.Error("got no error")
			}
		})
	}
}

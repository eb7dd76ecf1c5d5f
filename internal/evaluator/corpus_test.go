package evaluator_test

import (
	"path"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// cases returns the cases of the corpus by name.
func cases(t *testing.T) map[string]corpusCase {
	t.Helper()
	cases := map[string]corpusCase{}
	for folder, dialect := range map[string]lifecycle.Dialect{"": lifecycle.AWS, "extended": lifecycle.Extended} {
		for name, file := range corpus.Read(t, path.Join("testdata", folder), sections...) {
			c, err := parseCase(file, dialect)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			cases[path.Join(folder, name)] = c
		}
	}
	return cases
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, c := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Want(t, "want", c.verdicts())
		})
	}
}

// check reads the text of a case and reports whether its verdicts are the expected ones.
func check(text string) bool {
	file, err := corpus.Parse([]byte(text), sections...)
	if err != nil {
		return false
	}
	c, err := parseCase(file, lifecycle.AWS)
	return err == nil && c.verdicts() == c.Sections["want"]
}

func TestCorpusRejects(t *testing.T) {
	t.Parallel()
	const (
		head   = "A sentence.\nhttps://docs.aws.amazon.com/x\nnow: 2026-03-01T00:00:00Z\n"
		policy = `-- policy.json --
{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}
`
		images = "-- images --\n# digest  pushed  tags\nsha256:a  1d  x\n"
		want   = "-- want --\nsha256:a  keep  rule 1  matched by rule 1, not marked: newest of 1 image, rule keeps 1\n"
	)
	if !check(head + policy + images + want) {
		t.Fatal("the base case is rejected")
	}
	tests := map[string]string{
		"no now":                  strings.Replace(head, "now:", "later:", 1) + policy + images + want,
		"no link":                 strings.Replace(head, "https:", "file:", 1) + policy + images + want,
		"unknown section":         head + policy + images + want + "-- wants --\n",
		"repeated section":        head + policy + images + want + images,
		"no policy":               head + images + want,
		"bad policy":              head + strings.Replace(policy, "any", "some", 1) + images + want,
		"extension":               head + strings.Replace(policy, `"countType"`, `"tagExcludePatternList": ["x"], "countType"`, 1) + images + want,
		"no images":               head + policy + want,
		"no header":               head + policy + strings.Replace(images, "# ", "", 1) + want,
		"unknown column":          head + policy + strings.Replace(images, "tags", "labels", 1) + want,
		"missing cell":            head + policy + strings.Replace(images, "  x", "", 1) + want,
		"bad age":                 head + policy + strings.Replace(images, "1d", "1 day", 1) + want,
		"repeated digest":         head + policy + images + "sha256:a  2d  y\n" + want,
		"no expectation":          head + policy + images,
		"empty expectation":       head + policy + images + "-- want --\n",
		"image not expected":      head + policy + images + "sha256:b  1d  x\n" + want,
		"expectation of no image": head + policy + images + want + "sha256:b  keep  rule 1  words\n",
		"expectation out of order": head + policy + images + "sha256:b  1d  x\n-- want --\n" +
			"sha256:b  keep    rule 1  matched by rule 1, not marked: newest of 2 images, rule keeps 1\n" +
			"sha256:a  expire  rule 1  2nd newest of 2 images, rule keeps 1\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if check(text) {
				t.Error("is accepted")
			}
		})
	}
}

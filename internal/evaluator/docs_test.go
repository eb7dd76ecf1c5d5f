package evaluator_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

const policiesPage = "../../docs/policies.md"

// A section is a part of the page: what stands below one heading.
type section struct{ heading, text string }

func pageSections(t *testing.T) []section {
	t.Helper()
	page, err := os.ReadFile(policiesPage)
	if err != nil {
		t.Fatal(err)
	}
	var all []section
	for _, part := range strings.Split(string(page), "\n## ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		all = append(all, section{heading, text})
	}
	return all
}

// anchor returns what links to the section.
func (s section) anchor() string {
	return strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(s.heading, "`", "")), " ", "-")
}

// table returns the rows of the section's table, without the one of dashes.
func (s section) table() [][]string {
	var table [][]string
	for line := range strings.Lines(s.text) {
		cells, ok := strings.CutPrefix(strings.TrimSpace(line), "| ")
		if !ok {
			continue
		}
		row := strings.Split(strings.TrimSuffix(cells, "|"), "|")
		for i := range row {
			row[i] = strings.Trim(row[i], " `")
		}
		table = append(table, row)
	}
	return table
}

var codeBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

// TestDocumentedExamples evaluates the policy of each section on the images of
// its table, and compares with the verdicts there.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	examples := 0
	for _, s := range pageSections(t) {
		if blocks := codeBlock.FindAllStringSubmatch(s.text, -1); len(blocks) == 1 {
			examples++
			t.Run(s.anchor(), func(t *testing.T) {
				t.Parallel()
				checkExample(t, s, []byte(blocks[0][1]))
			})
		}
	}
	equal(t, "number of examples, one for each extension,", 8, examples)
}

func checkExample(t *testing.T, s section, text []byte) {
	t.Helper()
	policy, problems := lifecycle.Parse(text, lifecycle.Extended)
	if len(problems) > 0 {
		t.Fatalf("the policy has problems: %v", problems)
	}
	if _, problems := lifecycle.Parse(text, lifecycle.AWS); !strings.Contains(problems.Error(), "is an extension") {
		t.Errorf("the policy shows no extension: %v", problems)
	}
	table := s.table()
	c := corpusCase{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	inputs := len(table[0]) - 3 // the last columns are the expectation
	images := [][]string{append([]string{"# " + table[0][0]}, table[0][1:inputs]...)}
	for _, row := range table[1:] {
		images = append(images, row[:inputs])
	}
	if err := c.parseImages(images); err != nil {
		t.Fatal(err)
	}
	for i, v := range evaluator.Evaluate(policy, c.images, c.now) {
		got := strings.SplitN(v.String(), "  ", 4)[1:]
		equal(t, "documented verdict on "+v.Digest, table[i+1][inputs:], got)
	}
}

// The sources that the corpus of the extended dialect names are sections of the page.
func TestCorpusLinksToThePage(t *testing.T) {
	t.Parallel()
	anchors := map[string]bool{}
	for _, s := range pageSections(t) {
		anchors[s.anchor()] = true
	}
	files, _ := filepath.Glob("testdata/extended/*.txtar")
	links := regexp.MustCompile(`(?m)^docs/policies\.md#(.*)$`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links.FindAllStringSubmatch(string(data), -1) {
			if !anchors[link[1]] {
				t.Errorf("%s links to %s, which is no section of %s", file, link[1], policiesPage)
			}
		}
	}
}

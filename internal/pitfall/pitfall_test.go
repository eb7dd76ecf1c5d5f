package pitfall_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pitfall"
)

// TestCorpus surveys the images of each file of testdata with its policy, and compares the
// warnings. A line of images has the repository, the tags and, if there are several such
// images, their number. The tag archived sets the storage class, and - stands for no tag.
// Each image was pushed after the one above it.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, c := range corpus.Read(t, "testdata", "policy.json", "images", "want") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems := survey(t, []byte(c.Sections["policy.json"]), images(t, c.Sections["images"]))
			c.Want(t, "want", corpus.Lines(problems))
		})
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
				Digest: fmt.Sprint(len(registry[name])), Status: evaluator.Active, PushedAt: evaluator.At(time.Unix(int64(len(registry[name]))+1, 0)),
				Tags: strings.Split(strings.Trim(cells[1], "-"), ","),
			}
			switch im.Tags[0] {
			case "archived":
				im.Status = evaluator.Archived
			case "":
				im.Tags = nil
			}
			registry[name] = append(registry[name], im)
		}
	}
	return registry
}

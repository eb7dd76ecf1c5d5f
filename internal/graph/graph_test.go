package graph_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

func digestsOf(images []evaluator.Image) string {
	digests := make([]string, len(images))
	for i, im := range images {
		digests[i] = im.Digest
	}
	return strings.Join(digests, " ")
}

func TestAncestorsAreIndexesOnly(t *testing.T) {
	t.Parallel()
	p := draw(t, "c\nd\ni >c\nj >c,d\nr >i\nsig ^c\nx #v1")
	g := graph.New(p.images, p.children)
	for digest, want := range map[string]string{
		"c": "i j r", "d": "j", "i": "r", "r": "", "sig": "", "x": "", "nowhere": "",
	} {
		if got := strings.Join(g.Ancestors(digest), " "); got != want {
			t.Errorf("Ancestors(%s) = %q, want %q", digest, got, want)
		}
	}
}

func TestParentsAreIndexesAndSubjects(t *testing.T) {
	t.Parallel()
	p := draw(t, "c\ns #v1\ni >c,gone\nsig ^s\nboth ^s\nj >both")
	g := graph.New(p.images, p.children)
	for digest, want := range map[string]string{"c": "i", "sig": "s", "both": "j s", "s": "", "nowhere": ""} {
		if got := digestsOf(g.Parents(digest)); got != want {
			t.Errorf("Parents(%s) = %q, want %q", digest, got, want)
		}
	}
}

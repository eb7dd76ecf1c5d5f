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

func TestMayList(t *testing.T) {
	t.Parallel()
	const before, archivedAt, after evaluator.Instant = 1, 2, 3
	archived := evaluator.Image{Status: evaluator.Archived, LastArchivedAt: archivedAt}
	for _, tt := range []struct {
		name  string
		index evaluator.Image
		image evaluator.Image
		want  bool
	}{
		{"an index that is not archived may list whatever is pushed", evaluator.Image{Status: evaluator.Active, LastArchivedAt: archivedAt}, evaluator.Image{PushedAt: after}, true},
		{"so may one in a status that is not known", evaluator.Image{Status: "OF_TOMORROW", LastArchivedAt: archivedAt}, evaluator.Image{PushedAt: after}, true},
		{"so may one that was archived at an unknown time", evaluator.Image{Status: evaluator.Archived}, evaluator.Image{PushedAt: after}, true},
		{"an archived index may list what was pushed before it was archived", archived, evaluator.Image{PushedAt: before}, true},
		{"or at that time", archived, evaluator.Image{PushedAt: archivedAt}, true},
		{"or at an unknown time", archived, evaluator.Image{}, true},
		{"not what was first pushed afterwards", archived, evaluator.Image{PushedAt: after}, false},
		{"but what was pushed afterwards to bring it back from the archive", archived, evaluator.Image{PushedAt: after, LastArchivedAt: before, LastActivatedAt: after}, true},
		{"or may have been, for all that is told", archived, evaluator.Image{PushedAt: after, LastActivatedAt: after}, true},
		{"or is in the archive itself", archived, evaluator.Image{PushedAt: after, LastArchivedAt: after, Status: evaluator.Archived}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := graph.MayList(&tt.index, &tt.image); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

// An image that a push has brought back from the archive is kept under the
// archived index that may list it; one that came later is deleted.
func TestDecideKeepsWhatAPushBroughtBack(t *testing.T) {
	t.Parallel()
	p := draw(t, "i unread archived\nback !delete\nnew !delete")
	p.images[0].LastArchivedAt = p.images[0].PushedAt
	p.images[1].LastArchivedAt, p.images[1].LastActivatedAt = p.images[0].PushedAt, p.images[1].PushedAt
	got := p.outcome(graph.New(p.images, p.children).Decide(p.wanted, false))
	if want := "back unreadableIndex i; new deleted"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

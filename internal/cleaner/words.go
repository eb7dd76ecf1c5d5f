package cleaner

import (
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// few returns the first few of the texts, and how many more there are.
func few(texts []string) []string {
	const most = 5
	if len(texts) <= most {
		return texts
	}
	return append(slices.Clone(texts[:most]), fmt.Sprintf("and %d more", len(texts)-most))
}

// tagged returns what protects an image from losing tags although it would
// protect it from nothing else, since the image stays: that it is the child of
// an index in use, that an index was not read, so that it may be one or list one
// that is in use, or that a tag ties it to its subject.
func (u *usage) tagged(g *graph.Graph, im *evaluator.Image, tags []string) []Protection {
	var by []Protection
	if len(u.by[im.Digest]) == 0 {
		_, users := u.above(g, im.Digest)
		for _, user := range few(users) {
			by = append(by, Protection{ByInUse, user})
		}
	}
	if index := g.Unreadable(); index != "" && len(u.by) > 0 {
		by = append(by, Protection{ByUnreadableIndex, index})
	}
	for _, subject := range graph.Subjects(evaluator.Image{Tags: tags}) {
		by = append(by, Protection{BySubject, subject})
	}
	return by
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

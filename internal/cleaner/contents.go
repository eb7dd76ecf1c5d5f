package cleaner

import (
	"context"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// contents are the images of one repository and, once they are read, the
// children of its indexes.
type contents struct {
	Planner
	repository string
	images     []evaluator.Image
	// children are by index; an index that is missing could not be read. The
	// map is nil before the manifests are read.
	children map[string][]string
}

func (p Planner) contents(ctx context.Context, repository string) (*contents, error) {
	c := &contents{Planner: p, repository: repository}
	for im, err := range p.Registry.Images(ctx, repository) {
		if err != nil {
			return nil, err
		}
		c.images = append(c.images, im)
	}
	return c, nil
}

// readManifests reads the manifests of all indexes that can be pulled, once.
func (c *contents) readManifests(ctx context.Context) error {
	if c.children != nil {
		return nil
	}
	c.children = map[string][]string{}
	var indexes []string
	for _, im := range c.images {
		if graph.IsIndex(im) && im.Status == evaluator.Active {
			indexes = append(indexes, im.Digest)
		}
	}
	for batch := range slices.Chunk(indexes, MaxBatch) {
		if err := c.Registry.Children(ctx, c.repository, batch, c.children); err != nil {
			return err
		}
	}
	if len(indexes) > 0 && (c.PullsExcluded == nil || !c.PullsExcluded(ctx)) {
		c.discountReads()
	}
	return nil
}

// discountReads gives each index that this run has read the latest pull of its
// children: reading a manifest counts as a pull, so that the index's own time
// says no more than that a cleaner was here. Whoever runs an image pulls a
// child too.
func (c *contents) discountReads() {
	pulled := make(map[string]time.Time, len(c.images))
	for _, im := range c.images {
		pulled[im.Digest] = im.LastRecordedPullTime
	}
	for i := range c.images {
		latest, listed := time.Time{}, false
		for _, child := range c.children[c.images[i].Digest] {
			t, ok := pulled[child]
			listed = listed || ok
			if t.After(latest) {
				latest = t
			}
		}
		if listed {
			c.images[i].LastRecordedPullTime = latest
		}
	}
}

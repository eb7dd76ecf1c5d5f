package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// contents are the images of one repository and, once they are read, the
// children of its indexes.
type contents struct {
	Planner
	repository string
	images     []evaluator.Image
	// places of the images, by digest; nil before they are needed.
	places map[string]int
	// children are by index; an index that is missing could not be read. The
	// map is nil before the manifests are read.
	children map[string][]string
	// reading is when ECR may have recorded the reading of each manifest as a pull, by
	// the digest of the index. Failed are the indexes that could not be read.
	reading map[string]Span
	failed  []Failure
	// own says whether ECR records the pulls of this role; zero if no manifest was read.
	own OwnPulls
	// ownPulled are the pulls that ECR recorded for earlier reads by this tool, by the
	// digest of the index. In images, these indexes have the pull that was recorded
	// before.
	ownPulled map[string]evaluator.Instant
	// marks are what ECR itself will do with the images, in their order; nil
	// where that does not matter or nothing is attached.
	marks []evaluator.Action
	// readBeside is true when it was asked what is attached beside a policy of the
	// configuration.
	readBeside bool
	// names has the place in images of each digest and tag; no tag can be mistaken for a
	// digest. Again has the places of further images with the same tag: a tag that moves
	// while the images are listed is on several of them. Names is nil before it is
	// needed.
	names map[string]int
	again map[string][]int
}

// withName returns the places of the images with that digest or tag: none, one, or
// several for a tag.
func (c *contents) withName(name string) []int {
	if c.names == nil {
		c.names = make(map[string]int, 2*len(c.images))
		for i := range c.images {
			c.names[c.images[i].Digest] = i
			for _, tag := range c.images[i].Tags {
				c.addTag(tag, i)
			}
		}
	}
	i, borne := c.names[name]
	if !borne {
		return nil
	}
	return append([]int{i}, c.again[name]...)
}

func (c *contents) addTag(tag string, i int) {
	if first, borne := c.names[tag]; borne && first != i {
		if c.again == nil {
			c.again = map[string][]int{}
		}
		c.again[tag] = append(c.again[tag], i)
		return
	}
	c.names[tag] = i
}

// errUnknownName says that no listed image has the digest or tag.
var errUnknownName = errors.New("no image with the digest or tag")

// one returns the place of the image with the digest or tag. The error is
// errUnknownName, or says that several images have the tag.
func (c *contents) one(name string) (int, error) {
	switch places := c.withName(name); len(places) {
	case 0:
		return 0, errUnknownName
	case 1:
		return places[0], nil
	default:
		return 0, fmt.Errorf("repository %s: the tag %s is on %d of the listed images, because it moved while they were listed; run again, or name the image by its digest",
			c.repository, name, len(places))
	}
}

// place returns the place of the image in the listing.
func (c *contents) place(digest string) (i int, listed bool) {
	if c.places == nil {
		c.places = make(map[string]int, len(c.images))
		for i := range c.images {
			c.places[c.images[i].Digest] = i
		}
	}
	i, listed = c.places[digest]
	return i, listed
}

func (p Planner) contents(ctx context.Context, repository string) (*contents, error) {
	c := &contents{Planner: p, repository: repository}
	for images, err := range p.Registry.Images(ctx, repository) {
		if err != nil {
			return nil, err
		}
		if p.Reserve != nil {
			p.Reserve(len(images))
		}
		if c.images == nil {
			c.images = images // most repositories have one page
			continue
		}
		c.images = append(c.images, images...)
	}
	c.disregardOwnReads()
	return c, nil
}

// readManifests reads, once, the manifests of all indexes that can be pulled, and of
// images whose media type the listing lacks.
func (c *contents) readManifests(ctx context.Context) error {
	if c.children != nil {
		return nil
	}
	c.children, c.reading = map[string][]string{}, map[string]Span{}
	var indexes []string
	for _, im := range c.images {
		if (graph.IsIndex(im) || im.ManifestMediaType == "") && im.Status == evaluator.Active {
			indexes = append(indexes, im.Digest)
		}
	}
	for batch := range slices.Chunk(indexes, MaxBatch) {
		reading, err := c.Registry.Children(ctx, c.repository, batch)
		if err != nil {
			return err
		}
		maps.Copy(c.children, reading.Children)
		for _, digest := range batch {
			c.reading[digest] = reading.At
		}
		c.failed = append(c.failed, slices.DeleteFunc(reading.Failed, c.isPlain)...)
	}
	c.typeUntyped()
	return nil
}

// isPlain reports whether the listing lacks the media type of the image, and its
// manifest is not an index. If so it notes that in the image.
func (c *contents) isPlain(f Failure) bool {
	i, listed := c.place(f.Digest)
	plain := listed && c.images[i].ManifestMediaType == "" && f.Code == CodeNoIndex
	if plain {
		c.images[i].ManifestMediaType = "unknown"
	}
	return plain
}

// typeUntyped makes every other image without a media type an index: its manifest is an
// index, or could not be read.
func (c *contents) typeUntyped() {
	for i := range c.images {
		if c.images[i].ManifestMediaType == "" {
			c.images[i].ManifestMediaType = graph.IndexType
		}
	}
}

// below returns the listed images to which the index leads, directly or through
// other indexes that were read, without these: their own pulls may be ours. It
// returns nil, and not an empty list, unless the index itself was read.
func (c *contents) below(index string) []evaluator.Image {
	if _, read := c.children[index]; !read {
		return nil
	}
	images := []evaluator.Image{}
	seen := map[string]bool{index: true}
	for queue := []string{index}; len(queue) > 0; queue = queue[1:] {
		for _, digest := range c.children[queue[0]] {
			i, listed := c.place(digest)
			_, read := c.children[digest]
			switch {
			case !listed || seen[digest]:
			case read:
				queue = append(queue, digest)
			default:
				images = append(images, c.images[i])
			}
			seen[digest] = true
		}
	}
	return images
}

package cleaner

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
	// reading is when ECR may have recorded the reading of the manifest as a pull, by
	// the digest of the index; failed are the indexes that could not be read.
	reading map[string]Span
	failed  []Failure
	// own is what is known about the pulls of this role; zero where no manifest was
	// read.
	own OwnPulls
	// ownPulled are the pulls that ECR recorded for earlier reads by this tool, by the
	// digest of the index. The images have the pull before instead.
	ownPulled map[string]evaluator.Instant
	// marks are what ECR itself will do with the images, in their order; nil
	// where that does not matter or nothing is attached.
	marks []evaluator.Action
	// besides is true when it was asked what is attached beside a policy of the
	// configuration.
	besides bool
	// names leads from digests and tags, which no digest can be mistaken for,
	// to places in images, and again to those of the further images that bear the
	// same tag: a tag that moves while the images are listed is on several. Names
	// is nil before it is needed.
	names map[string]int
	again map[string][]int
}

// bearers returns the places of the images with that digest or tag: none, one or,
// for a tag, several.
func (c *contents) bearers(name string) []int {
	if c.names == nil {
		c.names = make(map[string]int, 2*len(c.images))
		for i := range c.images {
			c.names[c.images[i].Digest] = i
			for _, tag := range c.images[i].Tags {
				c.bear(tag, i)
			}
		}
	}
	i, borne := c.names[name]
	if !borne {
		return nil
	}
	return append([]int{i}, c.again[name]...)
}

func (c *contents) bear(tag string, i int) {
	if first, borne := c.names[tag]; borne && first != i {
		if c.again == nil {
			c.again = map[string][]int{}
		}
		c.again[tag] = append(c.again[tag], i)
		return
	}
	c.names[tag] = i
}

// errUnknownName says that no listed image has a digest or tag.
var errUnknownName = errors.New("no image with the digest or tag")

// one returns the place of the image that a person means by a digest or tag. The
// error is errUnknownName, or says that several have the tag.
func (c *contents) one(name string) (int, error) {
	switch places := c.bearers(name); len(places) {
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
		p.tenant.add(len(images))
		if c.images == nil {
			c.images = images // most repositories have one page
			continue
		}
		c.images = append(c.images, images...)
	}
	c.disregardOwnReads()
	return c, nil
}

// readManifests reads the manifests of all indexes that can be pulled, once, and of
// images of which the listing does not say what they are.
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

// isPlain reports whether the listing does not say what the image is, and its manifest
// is that of no index. It notes that.
func (c *contents) isPlain(f Failure) bool {
	i, listed := c.place(f.Digest)
	plain := listed && c.images[i].ManifestMediaType == "" && f.Code == CodeNoIndex
	if plain {
		c.images[i].ManifestMediaType = "unknown"
	}
	return plain
}

// typeUntyped takes every other image of which the listing does not say what it is for
// an index: its manifest says so, or could not be read.
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

package plan

import (
	"context"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// contents are the images of one repository and, once they are read, the manifests of its
// indexes. The position of an image is its index in images.
type contents struct {
	Planner
	repository string
	images     []evaluator.Image
	// positions are by digest, and named by digest and tag; no tag looks like a digest. If a
	// tag moves during the listing, several images have it. Repeated has the positions of all
	// but the first. The maps are nil until needed.
	positions, named map[string]int
	repeated         map[string][]int

	// children are the digests that each index lists, by the digest of the index. An index
	// that could not be read has no entry. The map is nil until the manifests are read.
	children map[string][]string
	readAt   map[string]Span // when ECR may have recorded each read as a pull, by digest
	failed   []Failure       // reads of manifests
	own      OwnPulls        // zero if no manifest was read
	// ownPulled are the pulls that ECR recorded for earlier reads by the cleaner, by digest.
	// In images, such an index has its pull before that read.
	ownPulled map[string]evaluator.Instant

	// attachedActions are the actions of an attached policy, by position; nil if they do not
	// matter. attachedRead is true if that policy was read beside the policy of the entry.
	attachedActions []evaluator.Action
	attachedRead    bool
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

func (c *contents) position(digest string) (i int, listed bool) {
	if c.positions == nil {
		c.positions = make(map[string]int, len(c.images))
		for i := range c.images {
			c.positions[c.images[i].Digest] = i
		}
	}
	i, listed = c.positions[digest]
	return i, listed
}

// find returns the position of the image with the digest or tag. It returns an error if
// several listed images have the tag.
func (c *contents) find(name string) (i int, listed bool, err error) {
	switch found := c.withName(name); len(found) {
	case 0:
		return 0, false, nil
	case 1:
		return found[0], true, nil
	default:
		return 0, false, fmt.Errorf("repository %s: the tag %s is on %d of the listed images, because it moved while they were listed; run again, or name the image by its digest",
			c.repository, name, len(found))
	}
}

func (c *contents) withName(name string) []int {
	if c.named == nil {
		c.named, c.repeated = make(map[string]int, 2*len(c.images)), map[string][]int{}
		for i := range c.images {
			c.named[c.images[i].Digest] = i
			for _, tag := range c.images[i].Tags {
				if first, found := c.named[tag]; !found {
					c.named[tag] = i
				} else if first != i {
					c.repeated[tag] = append(c.repeated[tag], i)
				}
			}
		}
	}
	i, found := c.named[name]
	if !found {
		return nil
	}
	return append([]int{i}, c.repeated[name]...)
}

// indexes returns the digests of the indexes that list each image, by digest, and the
// unread indexes.
func (c *contents) indexes() (listing map[string][]string, unread []*evaluator.Image) {
	listing = map[string][]string{}
	for i := range c.images {
		im := &c.images[i]
		children, read := c.children[im.Digest]
		if !read && graph.IsIndex(*im) {
			unread = append(unread, im)
		}
		for _, child := range children {
			listing[child] = append(listing[child], im.Digest)
		}
	}
	return listing, unread
}

// below returns the listed images that the index lists, directly or through indexes that
// were read. It leaves out these indexes, because their pulls may be the cleaner's reads.
// It returns nil, and not an empty list, if the index itself was not read.
func (c *contents) below(index string) []evaluator.Image {
	if _, read := c.children[index]; !read {
		return nil
	}
	images := []evaluator.Image{}
	seen := map[string]bool{index: true}
	for queue := []string{index}; len(queue) > 0; queue = queue[1:] {
		for _, digest := range c.children[queue[0]] {
			i, listed := c.position(digest)
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

func (c *contents) finding(kind finding.Kind, format string, args ...any) finding.Finding {
	return finding.Finding{Kind: kind, Repository: c.repository, Message: fmt.Sprintf(format, args...)}
}

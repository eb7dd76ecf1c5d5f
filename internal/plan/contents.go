package plan

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/resourcepolicy"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// contents are the images of one repository and, once they are read, the manifests of its
// indexes. The position of an image is its index in images.
type contents struct {
	Planner
	repository string
	images     []evaluator.Image
	listing    selection.Listing // of the images
	// children are the digests that each read index lists, by its digest. The map is nil
	// until the manifests are read.
	children map[string][]string
	readAt   map[string]Span // when ECR may have recorded each read as a pull, by digest
	failed   []Failure       // of the other indexes
	own      OwnPulls        // zero if no manifest was read
	// ownPulled are the pulls of earlier reads by the cleaner, by digest. Images has the
	// pulls before them.
	ownPulled map[string]evaluator.Instant

	resourcePolicy   resourcepolicy.Once // of the repository
	attachedVerdicts []evaluator.Verdict // from evaluateAttached
	attachedRead     bool                // true after readAttached
	unanswered       *Skip               // from afterFailures
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
	c.listing = selection.Listing{Repository: repository, Images: c.images}
	c.disregardOwnReads()
	return c, nil
}

// readManifests reads the manifests of all active indexes once. An image that ECR lists
// without a media type counts as an index unless its manifest says otherwise.
func (c *contents) readManifests(ctx context.Context) error {
	if c.children != nil {
		return nil
	}
	c.children, c.readAt = map[string][]string{}, map[string]Span{}
	var indexes []string
	for i := range c.images {
		im := &c.images[i]
		if im.Status == evaluator.Active && (im.ManifestMediaType == "" || graph.IsIndex(*im)) {
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
			c.readAt[digest] = reading.At
		}
		for _, f := range reading.Failed {
			if i, listed := c.listing.Position(f.Digest); listed && c.images[i].ManifestMediaType == "" && f.Code == CodeNoIndex {
				c.images[i].ManifestMediaType = "unknown"
			} else {
				c.failed = append(c.failed, f)
			}
		}
	}
	for i := range c.images {
		if c.images[i].ManifestMediaType == "" {
			c.images[i].ManifestMediaType = graph.IndexType
		}
	}
	return nil
}

// indexes returns the digests of the indexes that list each digest, and the unread indexes.
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
			i, listed := c.listing.Position(digest)
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

// manifestFindings returns one finding for each reason why manifests could not be read.
func (c *contents) manifestFindings() []finding.Finding {
	kinds := map[string]finding.Kind{CodeImageNotFound: finding.IndexGone, CodeNoIndex: finding.ManifestIsNoIndex}
	byReason := map[string][]Failure{}
	for _, f := range c.failed {
		byReason[f.Error()] = append(byReason[f.Error()], f)
	}
	var findings []finding.Finding
	for reason, failed := range byReason {
		code := failed[0].Code
		kind := cmp.Or(kinds[code], finding.ManifestUnreadable)
		message := fmt.Sprintf("the manifests of %s could not be read, such as %s: %s; images that they may list are kept",
			words.Count(len(failed), "index", "indexes"), failed[0].Digest, reason)
		if remedy := remedies[code]; remedy != "" {
			message += "; " + remedy
		}
		findings = append(findings, c.finding(kind, "%s", message))
	}
	slices.SortFunc(findings, func(a, b finding.Finding) int { return cmp.Compare(a.Message, b.Message) })
	return findings
}

// remedies say what to do about a failure code of BatchGetImage.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
var remedies = map[string]string{
	"KmsError":                "allow the use of the KMS key of the repository, and check that the key is enabled",
	"UpstreamAccessDenied":    "check the credentials of the pull-through cache rule",
	"UpstreamTooManyRequests": "run again when the upstream registry of the pull-through cache accepts more requests",
	"UpstreamUnavailable":     "run again when the upstream registry of the pull-through cache is available",
	"ImageInaccessible":       "pull the index manually to see the error",
	CodeNoIndex:               "delete the image manually if it is broken",
}

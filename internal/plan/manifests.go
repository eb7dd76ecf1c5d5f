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
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// readManifests reads, once, the manifests of all active indexes. An image that ECR lists
// without a media type counts as an index, unless its manifest is read and is none.
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
			if i, listed := c.position(f.Digest); listed && c.images[i].ManifestMediaType == "" && f.Code == CodeNoIndex {
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

// manifestFindings returns one finding for each reason why manifests could not be read.
func (c *contents) manifestFindings() []finding.Finding {
	byReason := map[string][]Failure{}
	for _, f := range c.failed {
		byReason[f.Error()] = append(byReason[f.Error()], f)
	}
	var findings []finding.Finding
	for reason, failed := range byReason {
		kind, code := finding.ManifestUnreadable, failed[0].Code
		switch code {
		case CodeImageNotFound:
			kind = finding.IndexGone
		case CodeNoIndex:
			kind = finding.ManifestIsNoIndex
		}
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

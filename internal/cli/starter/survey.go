package starter

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// The rules of a starter configuration.
const (
	days = 30 // after the push a rule deletes an image
	keep = 10 // so many of the newest images of a repository a proposed rule keeps
)

// A registry has all reading calls of a run.
type registry interface {
	plan.Registry
	plan.TagReader
	plan.NamedReader
	plan.PolicyReader
}

// A recorder is a registry that counts the images that a run lists. The run and the comments
// of the configuration so need one listing.
type recorder struct {
	registry
	before time.Time // a proposed rule is for images pushed before
	mu     sync.Mutex
	counts map[string]counts // by repository
}

// Images implements [plan.Registry].
func (r *recorder) Images(ctx context.Context, repository string) iter.Seq2[[]evaluator.Image, error] {
	return func(yield func([]evaluator.Image, error) bool) {
		c := counts{patterns: map[string]int{}}
		proposed := map[string]*ages{}
		for page, err := range r.registry.Images(ctx, repository) {
			for i := range page {
				c.add(&page[i], proposed, r.before)
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
		c.proposed = map[string]int{}
		for pattern, a := range proposed {
			c.proposed[pattern] = min(a.old, max(0, a.all-keep))
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.counts[repository] = c
	}
}

// counts are the counts of images.
type counts struct {
	images, untagged int
	bytes            int64
	patterns         map[string]int // by the pattern of a tag
	proposed         map[string]int // that a rule for a temporary pattern would delete
}

// ages are the numbers of images that a proposed rule matches.
type ages struct{ all, old int }

const maxPatterns = 200 // further patterns count as other tags

func (c *counts) add(im *evaluator.Image, proposed map[string]*ages, before time.Time) {
	c.images++
	c.bytes += im.SizeInBytes
	if len(im.Tags) == 0 {
		c.untagged++
	}
	matches := im.StorageClass() == lifecycle.StandardClass && !isReleased(im.Tags)
	var seen []string
	for _, tag := range im.Tags {
		pattern := patternOf(tag)
		if _, known := c.patterns[pattern]; !known && len(c.patterns) >= maxPatterns {
			pattern = otherTags
		}
		if slices.Contains(seen, pattern) {
			continue
		}
		seen = append(seen, pattern)
		c.patterns[pattern]++
		if !matches || !slices.Contains(temporary, pattern) {
			continue
		}
		if proposed[pattern] == nil {
			proposed[pattern] = &ages{}
		}
		proposed[pattern].all++
		if im.EffectivePushTime().Time().Before(before) {
			proposed[pattern].old++
		}
	}
}

// plus returns the sum of both counts.
func (c counts) plus(o counts) counts {
	sum := counts{c.images + o.images, c.untagged + o.untagged, c.bytes + o.bytes, map[string]int{}, map[string]int{}}
	for _, one := range []counts{c, o} {
		for pattern, n := range one.patterns {
			sum.patterns[pattern] += n
		}
		for pattern, n := range one.proposed {
			sum.proposed[pattern] += n
		}
	}
	return sum
}

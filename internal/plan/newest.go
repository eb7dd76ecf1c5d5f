package plan

import (
	"cmp"
	"container/heap"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// newest returns the digests of the images that keepNewest protects: the n newest images
// and the n newest active ones. Referrers and children do not count.
//
// An index is as new as its newest child: after its deletion that child would count, and
// another image would lose its protection. An untagged image that may be the child of an
// unread index is protected, but does not count.
func (c *contents) newest(n int) map[string]bool {
	if n == 0 {
		return nil
	}
	protected := map[string]bool{}
	listing, unread := c.indexes()
	all, activeOnes := 0, 0
	for im := range c.newestFirst {
		active := im.Status == evaluator.Active
		if all >= n && activeOnes >= n {
			break
		}
		if all >= n && !active {
			continue
		}
		for _, index := range listing[im.Digest] {
			protected[index] = true
		}
		if len(listing[im.Digest]) > 0 || len(graph.Subjects(*im)) > 0 {
			continue
		}
		protected[im.Digest] = true
		mayBeChild := false
		for _, index := range unread {
			if len(im.Tags) == 0 && !graph.IsIndex(*im) && graph.MayList(index, im) {
				mayBeChild = true
				protected[index.Digest] = protected[index.Digest] || index.Status == evaluator.Archived
			}
		}
		if !mayBeChild {
			all++
			if active {
				activeOnes++
			}
		}
	}
	return protected
}

// newestFirst yields the images by push time, the newest first, and then by digest, the
// greatest first. It sorts only as far as the caller iterates.
func (c *contents) newestFirst(yield func(*evaluator.Image) bool) {
	rest := make(byAge, len(c.images))
	for i := range c.images {
		rest[i] = &c.images[i]
	}
	heap.Init(&rest)
	for len(rest) > 0 && yield(heap.Pop(&rest).(*evaluator.Image)) {
	}
}

// byAge is a heap with the newest image on top.
type byAge []*evaluator.Image

func (h byAge) Len() int      { return len(h) }
func (h byAge) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h byAge) Less(i, j int) bool {
	return cmp.Or(h[i].EffectivePushTime().Compare(h[j].EffectivePushTime()), cmp.Compare(h[i].Digest, h[j].Digest)) > 0
}

// Push does nothing; it is never called.
func (*byAge) Push(any) {}

// Pop removes the last image and returns it.
func (h *byAge) Pop() any {
	last := len(*h) - 1
	im := (*h)[last]
	*h = (*h)[:last]
	return im
}

package plan

import (
	"cmp"
	"container/heap"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// newest returns the digests of the n newest images, and of the n newest that
// can be pulled, should archived ones be among the former. Referrers and
// children do not count. Beside an index whose children are not known, an
// untagged image may be one of them: it does not count, and is protected while
// it is as new.
//
// An index is as new as its newest child: were it to go, the child would count
// by itself, and push another image out.
func (c *contents) newest(n int) map[string]bool {
	if n == 0 {
		return nil
	}
	protected := map[string]bool{}
	listing, unread := c.indexes()
	all, pullable := 0, 0
	for im := range c.newestFirst {
		active := im.Status == evaluator.Active
		if all >= n && pullable >= n {
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
		mayBelong := false
		for _, index := range unread {
			if len(im.Tags) == 0 && !graph.IsIndex(*im) && graph.MayList(index, im) {
				mayBelong = true
				protected[index.Digest] = protected[index.Digest] || index.Status == evaluator.Archived
			}
		}
		if !mayBelong {
			all++
			if active {
				pullable++
			}
		}
	}
	return protected
}

// newestFirst goes through the images by push time, the newest first; of equal
// ones the greater digest. Mostly only the first few are wanted, so that they
// are not sorted beyond what is asked for.
func (c *contents) newestFirst(yield func(*evaluator.Image) bool) {
	rest := make(byAge, len(c.images))
	for i := range c.images {
		rest[i] = &c.images[i]
	}
	heap.Init(&rest)
	for len(rest) > 0 && yield(heap.Pop(&rest).(*evaluator.Image)) {
	}
}

// byAge is a heap of images with the newest on top.
type byAge []*evaluator.Image

func (h byAge) Len() int      { return len(h) }
func (h byAge) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h byAge) Less(i, j int) bool {
	return cmp.Or(h[i].EffectivePushTime().Compare(h[j].EffectivePushTime()), cmp.Compare(h[i].Digest, h[j].Digest)) > 0
}

// Push is never called.
func (h *byAge) Push(im any) { *h = append(*h, im.(*evaluator.Image)) }

// Pop removes the last.
func (h *byAge) Pop() any {
	last := len(*h) - 1
	im := (*h)[last]
	*h = (*h)[:last]
	return im
}

// indexes returns the digests of the indexes that list each image, and the
// indexes that were not read.
func (c *contents) indexes() (listing map[string][]string, unread []*evaluator.Image) {
	listing = map[string][]string{}
	for i := range c.images {
		im := &c.images[i]
		digests, read := c.children[im.Digest]
		if graph.IsIndex(*im) && !read {
			unread = append(unread, im)
		}
		for _, digest := range digests {
			listing[digest] = append(listing[digest], im.Digest)
		}
	}
	return listing, unread
}

package apply

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A step is an open image and its turn. Steps of the same turn are in one call.
type step struct {
	*plan.Image
	turn turn
}

// A turn orders removals: first groups with an index, then parents before children, then
// indexes that were not read, then other indexes.
type turn struct{ noIndex, depth, read, noList int }

func (t turn) compare(o turn) int {
	return cmp.Or(t.noIndex-o.noIndex, t.depth-o.depth, t.read-o.read, t.noList-o.noList)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A group has related images, each after all its parents. A batch has several groups.
type group []step

func (g group) images() []*plan.Image {
	images := make([]*plan.Image, len(g))
	for i := range g {
		images[i] = g[i].Image
	}
	return images
}

func (g group) hasUnread() bool { return slices.ContainsFunc(g, func(s step) bool { return s.Unread }) }

// groups returns the groups of the open images. Groups with an index that was not read
// come first, since it may list images of other groups, then other groups with an index.
func groups(images []plan.Image) []group {
	o := ordering{map[string]*plan.Image{}, map[string]bool{}, map[string][]string{}, map[string]int{}}
	for i := range images {
		if images[i].Open() {
			o.open[images[i].Digest] = &images[i]
		}
	}
	for digest, im := range o.open {
		for _, parent := range im.Parents {
			o.related[parent] = append(o.related[parent], digest)
			o.related[digest] = append(o.related[digest], parent)
		}
	}
	var all []group
	for i := range images {
		if g := o.take(images[i].Digest); len(g) > 0 {
			all = append(all, g)
		}
	}
	slices.SortStableFunc(all, func(a, b group) int {
		return cmp.Or(number(b.hasUnread())-number(a.hasUnread()), a[0].turn.noIndex-b[0].turn.noIndex)
	})
	return all
}

// An ordering finds the groups. The maps have digests as keys.
type ordering struct {
	open    map[string]*plan.Image
	taken   map[string]bool // open images that are in a group
	related map[string][]string
	depth   map[string]int
}

// take returns the group of the image, ordered by turn. It is empty if already taken.
func (o *ordering) take(digest string) group {
	var g group
	noIndex := 1
	for queue := []string{digest}; len(queue) > 0; queue = queue[1:] {
		if im, open := o.open[queue[0]]; open && !o.taken[im.Digest] {
			g = append(g, step{Image: im})
			o.taken[im.Digest] = true
			noIndex = min(noIndex, number(!graph.IsIndex(im.Image)))
			queue = append(queue, o.related[im.Digest]...)
		}
	}
	for i, s := range g {
		g[i].turn = turn{noIndex, o.measure(s.Digest), number(!s.Unread), number(!graph.IsIndex(s.Image.Image))}
	}
	slices.SortFunc(g, func(a, b step) int {
		return cmp.Or(a.turn.compare(b.turn), a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
	})
	return g
}

// measure returns the length of the longest path from an open image through its open
// parents.
func (o *ordering) measure(digest string) int {
	if depth, known := o.depth[digest]; known {
		return depth
	}
	o.depth[digest] = 0 // ends a cycle, which referrers by tag can cause
	deepest := 0
	for _, parent := range o.open[digest].Parents {
		if o.open[parent] != nil {
			deepest = max(deepest, 1+o.measure(parent))
		}
	}
	o.depth[digest] = deepest
	return deepest
}

// batches packs groups into batches ordered by turn. One call of at most MaxBatch digests
// describes a batch and the children of its indexes. A larger group is divided, the
// parents first. An index with more children is a batch alone.
func batches(all []group) []group {
	var packed []group
	var current group
	described := map[string]bool{}
	flushUnlessFits := func(ids []string) {
		added := 0
		for _, id := range ids {
			added += number(!described[id])
		}
		full := len(current) == plan.MaxBatch || len(described) > plan.MaxBatch || added > 0 && len(described)+added > plan.MaxBatch
		if full && len(current) > 0 {
			packed = append(packed, current)
			current, described = nil, map[string]bool{}
		}
	}
	for _, g := range all {
		flushUnlessFits(idsOf(g.images()))
		for _, s := range g {
			ids := idsOf([]*plan.Image{s.Image})
			flushUnlessFits(ids)
			current = append(current, s)
			for _, id := range ids {
				described[id] = true
			}
		}
	}
	packed = append(packed, current)
	for _, batch := range packed {
		slices.SortStableFunc(batch, func(a, b step) int { return a.turn.compare(b.turn) })
	}
	return packed
}

// idsOf returns the digests of the images after those of their children, each once. The
// images are described last because their descriptions must be the youngest.
func idsOf(images []*plan.Image) []string {
	own := map[string]bool{}
	for _, im := range images {
		own[im.Digest] = true
	}
	var ids []string
	for _, im := range images {
		for _, child := range im.Children {
			if !own[child.Digest] {
				ids = append(ids, child.Digest)
			}
		}
	}
	slices.Sort(ids)
	return append(slices.Compact(ids), slices.Sorted(maps.Keys(own))...)
}

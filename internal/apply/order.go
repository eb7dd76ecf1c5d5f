package apply

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A step is an image that is still to be removed, and its turn: images of a
// lower turn go first, those of one turn in one call.
type step struct {
	*plan.Image
	turn turn
}

// A turn orders removals: families with an index before others, parents before
// children, indexes that were not read before others, and these before other
// images.
type turn struct {
	noIndex bool
	depth   int
	known   bool
	image   bool
}

func (t turn) compare(o turn) int {
	return cmp.Or(boolCompare(t.noIndex, o.noIndex), cmp.Compare(t.depth, o.depth), boolCompare(t.known, o.known), boolCompare(t.image, o.image))
}

// boolCompare orders false before true.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// A group holds the images that belong together and are still to be removed,
// each after all that it belongs to.
type group []step

// groups groups what is still to be removed. Families with an index come
// first, and before these the ones with an index that may list images of others.
func groups(images []plan.Image) []group {
	o := ordering{open: map[string]*plan.Image{}, related: map[string][]string{}, depth: map[string]int{}}
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
		if f := o.group(images[i].Digest); len(f) > 0 {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b group) int {
		return cmp.Or(boolCompare(a.known(), b.known()), boolCompare(a[0].turn.noIndex, b[0].turn.noIndex))
	})
	return all
}

// An ordering finds families. Open shrinks while they are gathered.
type ordering struct {
	open    map[string]*plan.Image
	related map[string][]string
	depth   map[string]int
}

// group takes the family of the image out of what is open.
func (o *ordering) group(digest string) group {
	var f group
	for queue := []string{digest}; len(queue) > 0; queue = queue[1:] {
		if im, ok := o.open[queue[0]]; ok {
			f = append(f, step{Image: im})
			delete(o.open, queue[0])
			queue = append(queue, o.related[queue[0]]...)
		}
	}
	members := map[string]*plan.Image{}
	noIndex := true
	for _, s := range f {
		members[s.Digest] = s.Image
		noIndex = noIndex && !graph.IsIndex(s.Image.Image)
	}
	for i := range f {
		f[i].turn = turn{noIndex, o.measure(f[i].Digest, members), !f[i].Unread, !graph.IsIndex(f[i].Image.Image)}
	}
	slices.SortFunc(f, func(a, b step) int {
		return cmp.Or(a.turn.compare(b.turn), a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
	})
	return f
}

// measure returns the length of the longest way from the image to its parents
// within the family.
func (o *ordering) measure(digest string, members map[string]*plan.Image) int {
	if d, known := o.depth[digest]; known {
		return d
	}
	o.depth[digest] = 0 // tags can tie images in a circle; here it is cut
	deepest := 0
	for _, parent := range members[digest].Parents {
		if _, member := members[parent]; member {
			deepest = max(deepest, 1+o.measure(parent, members))
		}
	}
	o.depth[digest] = deepest
	return deepest
}

// batches packs families into batches, of which each is described, with the
// children of its indexes, in one call of at most MaxBatch digests; only an
// index with more children than that needs several. A family that fits into no
// call is cut, the parents before the children, and of what several calls
// describe only the index goes: the others are described again. The steps of a
// batch are ordered by turn.
func batches(all []group) [][]step {
	var packed [][]step
	var current []step
	described := map[string]bool{}
	flushUnlessFits := func(ids []string) {
		added := 0
		for _, id := range ids {
			if !described[id] {
				added++
			}
		}
		full := len(current) == plan.MaxBatch || len(described) > plan.MaxBatch || added > 0 && len(described)+added > plan.MaxBatch
		if full && len(current) > 0 {
			packed = append(packed, current)
			current, described = nil, map[string]bool{}
		}
	}
	for _, f := range all {
		flushUnlessFits(idsOf(f.images()))
		for i := range f {
			ids := idsOf([]*plan.Image{f[i].Image})
			flushUnlessFits(ids)
			current = append(current, f[i])
			for _, id := range ids {
				described[id] = true
			}
		}
	}
	packed = append(packed, current)
	for _, steps := range packed {
		slices.SortStableFunc(steps, func(a, b step) int { return a.turn.compare(b.turn) })
	}
	return packed
}

// known reports whether every index of the family was read.
func (f group) known() bool {
	return !slices.ContainsFunc(f, func(s step) bool { return s.Unread })
}

func (f group) images() []*plan.Image {
	images := make([]*plan.Image, len(f))
	for i := range f {
		images[i] = f[i].Image
	}
	return images
}

// idsOf returns the digests of the children of the images, and then those of
// the images themselves, each once: where that takes several calls, what is to
// go is described last.
func idsOf(images []*plan.Image) []string {
	var ids []string
	own := map[string]bool{}
	for _, im := range images {
		own[im.Digest] = true
	}
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

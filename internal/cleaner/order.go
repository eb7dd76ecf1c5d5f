package cleaner

import (
	"cmp"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// A step is an image that is still to be removed, and its turn: images of a
// lower turn go first, those of one turn in one call.
type step struct {
	*PlannedImage
	turn turn
}

// A turn orders removals: families with an index before others, parents before
// children, indexes before other images.
type turn struct {
	noIndex bool
	depth   int
	image   bool
}

func (t turn) compare(o turn) int {
	return cmp.Or(boolCompare(t.noIndex, o.noIndex), cmp.Compare(t.depth, o.depth), boolCompare(t.image, o.image))
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

// A family holds the images that belong together and are still to be removed,
// each after all that it belongs to.
type family []step

// families groups what is still to be removed. Families with an index come
// first.
func families(images []PlannedImage) []family {
	o := ordering{open: map[string]*PlannedImage{}, kin: map[string][]string{}, depth: map[string]int{}}
	for i := range images {
		if images[i].open() {
			o.open[images[i].Digest] = &images[i]
		}
	}
	for digest, im := range o.open {
		for _, parent := range im.Parents {
			o.kin[parent] = append(o.kin[parent], digest)
			o.kin[digest] = append(o.kin[digest], parent)
		}
	}
	var all []family
	for i := range images {
		if f := o.gather(images[i].Digest); len(f) > 0 {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b family) int { return boolCompare(a[0].turn.noIndex, b[0].turn.noIndex) })
	return all
}

// An ordering finds families. Open shrinks while they are gathered.
type ordering struct {
	open  map[string]*PlannedImage
	kin   map[string][]string
	depth map[string]int
}

// gather takes the family of the image out of what is open.
func (o *ordering) gather(digest string) family {
	var f family
	for queue := []string{digest}; len(queue) > 0; queue = queue[1:] {
		if im, ok := o.open[queue[0]]; ok {
			f = append(f, step{PlannedImage: im})
			delete(o.open, queue[0])
			queue = append(queue, o.kin[queue[0]]...)
		}
	}
	members := map[string]*PlannedImage{}
	noIndex := true
	for _, s := range f {
		members[s.Digest] = s.PlannedImage
		noIndex = noIndex && !graph.IsIndex(s.Image)
	}
	for i := range f {
		f[i].turn = turn{noIndex, o.measure(f[i].Digest, members), !graph.IsIndex(f[i].Image)}
	}
	slices.SortFunc(f, func(a, b step) int {
		return cmp.Or(a.turn.compare(b.turn), a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
	})
	return f
}

// measure returns the length of the longest way from the image to its parents
// within the family.
func (o *ordering) measure(digest string, members map[string]*PlannedImage) int {
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

// A batch is what is described in one call, and what can be removed then.
type batch struct {
	// ids are the digests to describe, at most MaxBatch: of the images, and of
	// the children of indexes, whose pulls tell whether the index is in use.
	ids []string
	// steps are the images that are described by then with all that they depend
	// upon, in this batch or in one before it, ordered by turn.
	steps []step
}

// batches packs families into batches. A family that does not fit is cut, the
// parents before the children.
func batches(all []family) []batch {
	packed := []batch{{}}
	described := map[string]bool{}
	for _, f := range all {
		for i := range f {
			for _, id := range idsOf([]*PlannedImage{f[i].PlannedImage}) {
				if described[id] {
					continue
				}
				if len(packed[len(packed)-1].ids) == MaxBatch {
					packed = append(packed, batch{})
				}
				described[id] = true
				last := &packed[len(packed)-1]
				last.ids = append(last.ids, id)
			}
			last := &packed[len(packed)-1]
			last.steps = append(last.steps, f[i])
		}
	}
	for _, b := range packed {
		slices.SortStableFunc(b.steps, func(a, b step) int { return a.turn.compare(b.turn) })
	}
	return packed
}

func (f family) images() []*PlannedImage {
	images := make([]*PlannedImage, len(f))
	for i := range f {
		images[i] = f[i].PlannedImage
	}
	return images
}

// idsOf returns the digests of the images and of the children of indexes.
func idsOf(images []*PlannedImage) []string {
	var ids []string
	for _, im := range images {
		ids = append(ids, im.Digest)
		for _, child := range im.Children {
			ids = append(ids, child.Digest)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// removedFor reports whether a parent with that outcome is gone far enough for
// what is to become of the image.
func (im *PlannedImage) removedFor(parent Outcome) bool {
	return parent == Deleted || parent == Gone || parent == MovedToArchive && im.archives()
}

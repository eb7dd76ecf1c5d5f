package graph

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// keepUnread keeps the indexes whose children are not known, the indexes above them, and
// the images that may be their children. It does not keep archived indexes, because these
// can never be read.
func (d *decider) keepUnread() {
	for _, i := range d.unread {
		if d.images[i].Status != evaluator.Archived {
			d.keepAbove(i, i)
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range d.images {
			if disposition := d.decisions[i].Disposition; disposition != Keep && d.unreadParent(i, disposition) >= 0 {
				d.keep(i)
				changed = true
			}
		}
	}
}

// keepAbove keeps image i and the indexes above it, because the index unread could not be
// read.
func (d *decider) keepAbove(i, unread int) {
	d.keep(i)
	for _, index := range d.indexes[i] {
		if other, known := d.unreadBelow[index]; !known || d.images[unread].Digest < d.images[other].Digest {
			d.unreadBelow[index] = unread
			d.keepAbove(index, unread)
		}
	}
}

// unreadParent returns an index that was not read, may list the image and has a smaller
// disposition, or -1.
func (d *decider) unreadParent(i int, disposition Disposition) int {
	return d.smallest(d.unread, func(index int) bool {
		return d.effective(index) < disposition && MayList(&d.images[index], &d.images[i])
	})
}

// MayList reports whether the index may list the image, by their times. A replica or a
// pull-through cache may get children after their index, but not after the index is
// archived, because an archived index cannot be pulled. The push time of an image that has
// been archived says nothing: a push may have restored it.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive_restore_image.html
func MayList(index, im *evaluator.Image) bool {
	return index.Status != evaluator.Archived || index.LastArchivedAt.IsZero() ||
		!im.LastArchivedAt.IsZero() || !im.LastActivatedAt.IsZero() ||
		!im.PushedAt.After(index.LastArchivedAt)
}

// Unreadable returns the smallest digest of the unread indexes that are not archived, or "".
// Such an index may list any image of the repository.
func (g *Graph) Unreadable() string {
	if i := g.smallest(g.unread, func(i int) bool { return g.images[i].Status != evaluator.Archived }); i >= 0 {
		return g.images[i].Digest
	}
	return ""
}

// Unread reports whether the image at place i is an index that was not read. The images that
// it may list are deleted after it, except the images above it, whose digests are in above.
func (g *Graph) Unread(i int) (above []string, unread bool) {
	if slices.Contains(g.unread, i) {
		return g.above(i, g.parents), true
	}
	return nil, false
}

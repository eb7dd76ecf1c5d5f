package graph

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// keepUnread keeps the indexes whose children are not known, the indexes above them,
// which may be in use by such a child, and the images that may be such a child. Nobody
// can read an archived index, so it is deleted when that is wanted.
func (d *decider) keepUnread() {
	for _, i := range d.unread {
		if d.images[i].Status != evaluator.Archived {
			d.keep(i)
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

// keepAbove keeps the indexes above image i, because the index unread could not be read.
func (d *decider) keepAbove(i, unread int) {
	for _, index := range d.indexes[i] {
		if other, known := d.unreadBelow[index]; !known || d.images[unread].Digest < d.images[other].Digest {
			d.unreadBelow[index] = unread
			d.keep(index)
			d.keepAbove(index, unread)
		}
	}
}

// unreadParent returns an index that was not read, may list the image and has a
// disposition below that one, or -1.
func (d *decider) unreadParent(i int, disposition Disposition) int {
	return d.smallest(d.unread, func(index int) bool {
		return d.effective(index) < disposition && MayList(&d.images[index], &d.images[i])
	})
}

// MayList reports whether, by their times, the index may list the image. The children of
// an index are pushed before it. A replica or a pull-through cache may get them later, but
// not after the index has been archived, because then nobody can pull it.
//
// The push time of an image that has been in the archive says nothing: a push restores an
// archived image, perhaps with a new time.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive_restore_image.html
func MayList(index, im *evaluator.Image) bool {
	switch {
	case index.Status != evaluator.Archived || index.LastArchivedAt.IsZero():
		return true
	case !im.LastArchivedAt.IsZero() || !im.LastActivatedAt.IsZero():
		return true
	}
	return !im.PushedAt.After(index.LastArchivedAt)
}

// Unreadable returns the smallest digest of the indexes that were not read although they
// are not archived, or "". Unless it is "", any image of the repository may be listed by
// an index in use, or contain an image in use.
func (g *Graph) Unreadable() string {
	i := g.smallest(g.unread, func(i int) bool { return g.images[i].Status != evaluator.Archived })
	if i < 0 {
		return ""
	}
	return g.images[i].Digest
}

// Unread reports whether the image at place i is an index that was not read. The images
// that it may list are deleted after it, except those above it: their digests are in
// above.
func (g *Graph) Unread(i int) (above []string, unread bool) {
	if !slices.Contains(g.unread, i) {
		return nil, false
	}
	return g.above(i, g.parents), true
}

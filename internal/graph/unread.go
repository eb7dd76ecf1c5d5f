package graph

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// keepUnread keeps the indexes whose children are not known, the indexes above
// them, which may be in use by such a child, and whatever may be one and would
// go further. An archived index cannot be read by anybody; when it is to go, it
// goes.
func (s *settlement) keepUnread() {
	for _, i := range s.unread {
		if s.images[i].Status != evaluator.Archived {
			s.keep(i)
			s.keepAbove(i, i)
		}
	}
	for fell := true; fell; {
		fell = false
		for i := range s.images {
			if fate := s.rulings[i].Fate; fate != Stay && s.unreadParent(i, fate) >= 0 {
				s.keep(i)
				fell = true
			}
		}
	}
}

// keepAbove keeps the indexes above image i, because the one at unread could
// not be read.
func (s *settlement) keepAbove(i, unread int) {
	for _, index := range s.indexes[i] {
		if other, known := s.below[index]; !known || s.images[unread].Digest < s.images[other].Digest {
			s.below[index] = unread
			s.keep(index)
			s.keepAbove(index, unread)
		}
	}
}

// unreadParent returns the index with the smallest digest of those that were
// not read, do not go as far as fate and may list the image, or -1.
func (s *settlement) unreadParent(i int, fate Fate) int {
	found := -1
	for _, index := range s.unread {
		if s.reach(index) < fate && MayList(&s.images[index], &s.images[i]) &&
			(found < 0 || s.images[index].Digest < s.images[found].Digest) {
			found = index
		}
	}
	return found
}

// MayList reports whether the index may list the image for all that their times
// tell. Whoever pushes an index pushes its children first; a replica and a
// pull-through cache may get them later, but not after the index has gone to the
// archive, where nobody pulls it any more.
//
// The push time of an image that has been in the archive itself tells nothing:
// a push brings it back, perhaps with a new time.
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

// PossibleParents returns the indexes that were not read and may list the image:
// should they go, it goes after them. What is above such an index, as a subject
// that a tag of it names, goes before it; and of two that were not read neither
// is known to list the other.
func (g *Graph) PossibleParents(digest string) []evaluator.Image {
	if len(g.unread) == 0 {
		return nil
	}
	i, listed := g.place(digest)
	if !listed || slices.Contains(g.unread, i) {
		return nil
	}
	var parents []evaluator.Image
	for _, index := range g.unread {
		if MayList(&g.images[index], &g.images[i]) && !g.isAbove(i, index) {
			parents = append(parents, g.images[index])
		}
	}
	return parents
}

// isAbove reports whether the upper image is among those to which the lower one
// belongs, directly or through others.
func (g *Graph) isAbove(upper, lower int) bool {
	seen := map[int]bool{lower: true}
	for queue := []int{lower}; len(queue) > 0; queue = queue[1:] {
		for _, parent := range g.parents[queue[0]] {
			if parent == upper {
				return true
			}
			if !seen[parent] {
				seen[parent] = true
				queue = append(queue, parent)
			}
		}
	}
	return false
}

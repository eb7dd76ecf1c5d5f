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

// Unreadable returns the smallest digest of the indexes that should be readable and
// were not read, or "". Of no image of the repository is it known then whether an
// index that is in use lists it, or whether what it lists is in use.
func (g *Graph) Unreadable() string {
	found := ""
	for _, i := range g.unread {
		if index := &g.images[i]; index.Status != evaluator.Archived && (found == "" || index.Digest < found) {
			found = index.Digest
		}
	}
	return found
}

// Unread reports of an image whether it is an index that was not read. What it
// may list goes after it, but not what is above it, to which it belongs itself,
// directly or through others.
func (g *Graph) Unread(i int) (above []string, unread bool) {
	if !slices.Contains(g.unread, i) {
		return nil, false
	}
	seen := map[int]bool{i: true}
	for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
		for _, parent := range g.parents[queue[0]] {
			if !seen[parent] {
				seen[parent] = true
				above = append(above, g.images[parent].Digest)
				queue = append(queue, parent)
			}
		}
	}
	return above, true
}

package graph

import "github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"

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
// not read, do not go as far as fate and may list the image, or -1. Children
// are pushed before their index.
func (s *settlement) unreadParent(i int, fate Fate) int {
	found := -1
	for _, index := range s.unread {
		if s.reach(index) < fate && !s.images[i].PushedAt.After(s.images[index].PushedAt) &&
			(found < 0 || s.images[index].Digest < s.images[found].Digest) {
			found = index
		}
	}
	return found
}

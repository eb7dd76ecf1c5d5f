package graph

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Fate is how far an image goes. The order of the values counts.
type Fate int

// The fates.
const (
	Stay    Fate = iota
	Archive      // to the archive class
	Delete
)

// A Wish is what is wanted of an image before the graph has its say.
type Wish struct {
	// Fate is what the policy wants; Stay for images without a verdict to act
	// on.
	Fate Fate
	// Vetoed is true when something protects the image or a rule retains it:
	// then it stays, and does not go along either.
	Vetoed bool
}

// A Ruling is what the graph makes of a wish.
type Ruling struct {
	// Fate is what may happen to the image.
	Fate Fate
	// Tie is why Fate is less than the wish, or NoTie.
	Tie Tie
	// With is the digest that ties the image: the kept index or subject, or
	// the index that could not be read. Of an image that goes along it is the
	// root that it follows.
	With string
	// Follows is true for an image that goes along without a wish of its own.
	Follows bool
}

// A Tie is what keeps an image that is wanted gone.
type Tie string

// The ties.
const (
	NoTie Tie = ""
	// Child: an index that stays lists the image.
	Child Tie = "child"
	// Subject: the image refers to one that stays.
	Subject Tie = "subject"
	// Orphan: the image refers to one that is nowhere in the repository.
	Orphan Tie = "orphan"
	// Unreadable: the manifest of an index could not be read, and the image is
	// that index or may be one of its children.
	Unreadable Tie = "unreadableIndex"
)

// Settle says what may happen to each image of the listing, in its order.
// Wishes are in that order too. Orphans that are wanted gone go if
// deleteOrphans is true, unless the repository holds referrers only. Fates come
// out the same whatever the order of the listing.
func (g *Graph) Settle(wishes []Wish, deleteOrphans bool) []Ruling {
	s := settlement{Graph: g, wishes: wishes, rulings: make([]Ruling, len(g.images))}
	for i := range g.images {
		s.rulings[i] = s.best(i)
	}
	s.keepOrphans(deleteOrphans)
	s.keepUnread()
	for i := range g.images {
		s.bind(i)
	}
	s.follow()
	return s.rulings
}

// A settlement lowers fates until no image goes further than its parents. It
// begins with the furthest that each could go, so that what remains is the
// most that may go, and fates only ever fall: the end does not depend on the
// order.
type settlement struct {
	*Graph
	wishes  []Wish
	rulings []Ruling
}

// best is the furthest that the image could go if nothing tied it.
func (s *settlement) best(i int) Ruling {
	switch w := s.wishes[i]; {
	case w.Vetoed:
		return Ruling{}
	case w.Fate != Stay:
		return Ruling{Fate: w.Fate}
	case len(s.parents[i]) > 0 && nameless(s.images[i]):
		return Ruling{Fate: Delete, Follows: true}
	}
	return Ruling{}
}

// keep ties the image down and looks again at what depends on it.
func (s *settlement) keep(i int, tie Tie, with string) {
	s.rulings[i] = Ruling{Tie: tie, With: with}
	if s.wishes[i].Fate == Stay || s.wishes[i].Vetoed {
		s.rulings[i] = Ruling{} // nobody wanted it gone
	}
	for _, child := range s.children[i] {
		s.bind(child)
	}
}

// bind keeps the image if it would go further than one of its parents.
func (s *settlement) bind(i int) {
	r := &s.rulings[i]
	if r.Fate == Stay {
		return
	}
	for _, parent := range s.sorted(s.parents[i]) {
		if r.Fate > s.reach(parent) {
			tie := Child
			if slices.Contains(Subjects(s.images[i]), s.images[parent].Digest) {
				tie = Subject
			}
			s.keep(i, tie, s.images[parent].Digest)
			return
		}
	}
}

// reach is how far an image will be gone; one in the archive already is there.
func (s *settlement) reach(i int) Fate {
	if s.images[i].Status == evaluator.Archived {
		return max(s.rulings[i].Fate, Archive)
	}
	return s.rulings[i].Fate
}

func (s *settlement) keepOrphans(deleteThem bool) {
	for i := range s.images {
		if s.orphan[i] && s.rulings[i].Fate != Stay && (!deleteThem || s.onlyReferrers) {
			s.keep(i, Orphan, Subjects(s.images[i])[0])
		}
	}
}

// keepUnread keeps the indexes whose children are not known, and everything
// that may be one of them: children are pushed before their index. An archived
// index cannot be read by anybody; when it is to go, it goes.
func (s *settlement) keepUnread() {
	for _, index := range s.unread {
		im := &s.images[index]
		if im.Status == evaluator.Archived && s.rulings[index].Fate == Delete {
			continue
		}
		s.keep(index, Unreadable, im.Digest)
		for i := range s.images {
			if i != index && s.rulings[i].Fate != Stay && !s.images[i].PushedAt.After(im.PushedAt) {
				s.keep(i, Unreadable, im.Digest)
			}
		}
	}
}

// follow names the root of each image that goes along, and keeps those to
// which no root leads.
func (s *settlement) follow() {
	reached := make([]bool, len(s.images))
	for _, root := range s.sorted(s.all()) {
		if s.rulings[root].Fate == Delete && !s.rulings[root].Follows {
			s.lead(root, s.images[root].Digest, reached)
		}
	}
	for i := range s.images {
		if s.rulings[i].Follows && !reached[i] {
			s.keep(i, NoTie, "")
		}
	}
}

// lead names the root for everything that goes along below image i.
func (s *settlement) lead(i int, root string, reached []bool) {
	for _, child := range s.sorted(s.children[i]) {
		if r := &s.rulings[child]; r.Follows && !reached[child] {
			reached[child] = true
			r.With = root
			s.lead(child, root, reached)
		}
	}
}

func (s *settlement) all() []int {
	all := make([]int, len(s.images))
	for i := range all {
		all[i] = i
	}
	return all
}

// sorted returns the places ordered by digest, so that names in rulings do not
// depend on the order of the listing.
func (s *settlement) sorted(places []int) []int {
	return slices.SortedFunc(slices.Values(places), func(a, b int) int {
		return strings.Compare(s.images[a].Digest, s.images[b].Digest)
	})
}

package graph

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Fate is how far an image goes. The order of the values counts.
type Fate int8

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
// deleteOrphans is true, unless the repository holds referrers only. Rulings
// come out the same whatever the order of the listing.
func (g *Graph) Settle(wishes []Wish, deleteOrphans bool) []Ruling {
	s := settlement{Graph: g, wishes: wishes, rulings: make([]Ruling, len(g.images)), keepsOrphans: !deleteOrphans || g.onlyReferrers, below: map[int]int{}}
	for i := range g.images {
		s.rulings[i] = s.best(i)
	}
	for i := range g.images {
		if s.orphan[i] && s.keepsOrphans {
			s.keep(i)
		}
	}
	for i := range g.images {
		s.bind(i)
	}
	s.follow()
	s.keepUnread()
	for i := range g.images {
		s.tie(i)
	}
	return s.rulings
}

// A settlement lowers fates until no image goes further than its parents. It
// begins with the furthest that each could go, so that what remains is the
// most that may go, and fates only ever fall: the end does not depend on the
// order.
type settlement struct {
	*Graph
	wishes       []Wish
	rulings      []Ruling
	keepsOrphans bool
	// below leads from an index to one below it that could not be read.
	below map[int]int
}

// best is the furthest that the image could go if nothing tied it.
func (s *settlement) best(i int) Ruling {
	switch w := s.wishes[i]; {
	case w.Vetoed:
		return Ruling{}
	case w.Fate != Stay:
		return Ruling{Fate: w.Fate}
	case len(s.parents[i]) > 0 && nameless(s.images[i]) && settled(s.images[i]) && !s.orphan[i] && !slices.Contains(s.unread, i):
		return Ruling{Fate: Delete, Follows: true}
	}
	return Ruling{}
}

// settled reports whether the image is in one of the storage classes, not on
// its way between them or in a state that is not known.
func settled(im evaluator.Image) bool {
	return im.Status == evaluator.Active || im.Status == evaluator.Archived
}

// keep keeps the image and looks again at what depends on it.
func (s *settlement) keep(i int) {
	s.rulings[i] = Ruling{}
	for _, child := range s.children[i] {
		s.bind(child)
	}
}

// bind keeps the image if it would go further than one of its parents.
func (s *settlement) bind(i int) {
	if fate := s.rulings[i].Fate; fate != Stay && s.shortest(i, fate) >= 0 {
		s.keep(i)
	}
}

// shortest returns the parent with the smallest digest that does not go as far
// as fate, or -1.
func (s *settlement) shortest(i int, fate Fate) int {
	found := -1
	for _, parent := range s.parents[i] {
		if s.reach(parent) < fate && (found < 0 || s.images[parent].Digest < s.images[found].Digest) {
			found = parent
		}
	}
	return found
}

// reach is how far an image will be gone; one in the archive already is there.
func (s *settlement) reach(i int) Fate {
	if s.images[i].Status == evaluator.Archived {
		return max(s.rulings[i].Fate, Archive)
	}
	return s.rulings[i].Fate
}

// follow names the root of each image that goes along, and keeps those to
// which no root leads.
func (s *settlement) follow() {
	roots := make([]int, 0, len(s.images))
	for i, r := range s.rulings {
		if r.Fate == Delete && !r.Follows {
			roots = append(roots, i)
		}
	}
	slices.SortFunc(roots, func(a, b int) int { return strings.Compare(s.images[a].Digest, s.images[b].Digest) })
	for _, root := range roots {
		s.lead(root, s.images[root].Digest)
	}
	for i, r := range s.rulings {
		if r.Follows && r.With == "" {
			s.keep(i)
		}
	}
}

// lead names the root for everything that goes along below image i.
func (s *settlement) lead(i int, root string) {
	for _, child := range s.children[i] {
		if r := &s.rulings[child]; r.Follows && r.With == "" {
			r.With = root
			s.lead(child, root)
		}
	}
}

// tie says why an image stays although it is wanted gone and nothing vetoes it.
func (s *settlement) tie(i int) {
	w, r := s.wishes[i], &s.rulings[i]
	if r.Fate != Stay || w.Fate == Stay || w.Vetoed {
		return
	}
	subjects := Subjects(s.images[i])
	parent := s.shortest(i, w.Fate)
	switch {
	case parent >= 0 && slices.Contains(subjects, s.images[parent].Digest):
		r.Tie, r.With = Subject, s.images[parent].Digest
	case parent >= 0:
		r.Tie, r.With = Child, s.images[parent].Digest
	case s.orphan[i] && s.keepsOrphans:
		r.Tie, r.With = Orphan, subjects[0]
	default:
		unread := s.unreadParent(i, w.Fate)
		if unread < 0 {
			unread = s.below[i]
		}
		r.Tie, r.With = Unreadable, s.images[unread].Digest
	}
}

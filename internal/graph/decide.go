package graph

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Disposition is an action on an image, from the least to the most.
type Disposition int8

// The dispositions.
const (
	Keep    Disposition = iota
	Archive             // to the archive class
	Delete
)

// Wanted is the wanted action on an image, without regard to related images.
type Wanted struct {
	Disposition Disposition // the action of the policy
	// Vetoed is true for a protected or retained image. It is kept and follows no other.
	Vetoed bool
}

// A Decision is the possible action on an image.
type Decision struct {
	Disposition Disposition
	Blocker     Blocker // why Disposition is less than wanted, or empty
	// Related is the digest of the image that blocks, or that this one follows.
	Related string
	Follows bool // the image is deleted because its parents are
}

// A Blocker says why an image is kept although its removal is wanted.
type Blocker string

// The blockers.
const (
	Child   Blocker = "child"   // a kept index lists the image
	Subject Blocker = "subject" // the image refers to a kept one
	Orphan  Blocker = "orphan"  // no image that the image refers to is in the repository
	// Unreadable: the image is an index that could not be read, lists one, or may be a
	// child of one.
	Unreadable Blocker = "unreadableIndex"
)

// Decide returns the decisions for the images. Wanted and the decisions are in the order
// of the listing, which changes no decision. Orphans are kept if deleteOrphans is false or
// the repository has only referrers.
func (g *Graph) Decide(wanted []Wanted, deleteOrphans bool) []Decision {
	d := decider{
		Graph: g, wanted: wanted, decisions: make([]Decision, len(g.images)),
		keepsOrphans: !deleteOrphans || g.onlyReferrers, unreadBelow: map[int]int{},
	}
	for i := range g.images {
		d.decisions[i] = d.most(i)
	}
	for i := range g.images {
		d.bind(i)
	}
	d.follow()
	d.keepUnread()
	for i := range g.images {
		d.explain(i)
	}
	return d.decisions
}

// A decider starts with the greatest disposition of each image. It lowers dispositions
// until none is greater than that of a parent, and never raises one. The order of the
// images does not matter.
type decider struct {
	*Graph
	wanted       []Wanted
	decisions    []Decision
	keepsOrphans bool
	unreadBelow  map[int]int // for an index, an index below it that could not be read
}

// most returns the greatest disposition that the image could have.
func (d *decider) most(i int) Decision {
	im := &d.images[i]
	switch w := d.wanted[i]; {
	case w.Vetoed || d.orphan[i] && d.keepsOrphans:
		return Decision{}
	case w.Disposition != Keep:
		return Decision{Disposition: w.Disposition}
	case len(d.parents[i]) == 0 || !nameless(*im) || d.orphan[i] || slices.Contains(d.unread, i),
		im.Status != evaluator.Active && im.Status != evaluator.Archived: // in transition, or not known
		return Decision{}
	}
	return Decision{Disposition: Delete, Follows: true}
}

// keep keeps the image and checks its children again.
func (d *decider) keep(i int) {
	d.decisions[i] = Decision{}
	for _, child := range d.children[i] {
		d.bind(child)
	}
}

// bind keeps the image if its disposition is greater than that of a parent.
func (d *decider) bind(i int) {
	if disposition := d.decisions[i].Disposition; disposition != Keep && d.blockingParent(i, disposition) >= 0 {
		d.keep(i)
	}
}

// blockingParent returns a parent with a smaller disposition, or -1.
func (d *decider) blockingParent(i int, disposition Disposition) int {
	return d.smallest(d.parents[i], func(parent int) bool { return d.effective(parent) < disposition })
}

// effective returns the disposition of an image. It is at least Archive for an archived one.
func (d *decider) effective(i int) Disposition {
	if d.images[i].Status == evaluator.Archived {
		return max(d.decisions[i].Disposition, Archive)
	}
	return d.decisions[i].Disposition
}

// follow sets Related of each image that follows. It keeps the image if no image above it
// is deleted by a rule.
func (d *decider) follow() {
	roots := make([]int, 0, len(d.images))
	for i, r := range d.decisions {
		if r.Disposition == Delete && !r.Follows {
			roots = append(roots, i)
		}
	}
	slices.SortFunc(roots, func(a, b int) int { return strings.Compare(d.images[a].Digest, d.images[b].Digest) })
	for _, root := range roots {
		d.lead(root, d.images[root].Digest)
	}
	for i, r := range d.decisions {
		if r.Follows && r.Related == "" {
			d.keep(i)
		}
	}
}

// lead sets Related to root for all images below image i that follow.
func (d *decider) lead(i int, root string) {
	for _, child := range d.children[i] {
		if r := &d.decisions[child]; r.Follows && r.Related == "" {
			r.Related = root
			d.lead(child, root)
		}
	}
}

// explain sets the blocker of an image that is kept although the policy removes it.
func (d *decider) explain(i int) {
	w, r := d.wanted[i], &d.decisions[i]
	if r.Disposition != Keep || w.Disposition == Keep || w.Vetoed {
		return
	}
	subjects := Subjects(d.images[i])
	parent := d.blockingParent(i, w.Disposition)
	switch {
	case parent >= 0 && slices.Contains(subjects, d.images[parent].Digest):
		r.Blocker, r.Related = Subject, d.images[parent].Digest
	case parent >= 0:
		r.Blocker, r.Related = Child, d.images[parent].Digest
	case d.orphan[i] && d.keepsOrphans:
		r.Blocker, r.Related = Orphan, subjects[0]
	default:
		unread := d.unreadParent(i, w.Disposition)
		if unread < 0 {
			unread = d.unreadBelow[i]
		}
		r.Blocker, r.Related = Unreadable, d.images[unread].Digest
	}
}

package graph

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Disposition is what is done with an image. The values are in the order of how far
// they remove it.
type Disposition int8

// The dispositions.
const (
	Keep    Disposition = iota
	Archive             // to the archive class
	Delete
)

// Wanted is what is wanted of an image before its relations are considered.
type Wanted struct {
	// Disposition is what the policy wants. It is Keep for an image without a verdict.
	Disposition Disposition
	// Vetoed is true when something protects the image or a rule retains it. Then the
	// image is kept and follows no other.
	Vetoed bool
}

// A Decision is what may be done with an image.
type Decision struct {
	Disposition Disposition
	// Blocker is why Disposition is less than wanted, or empty.
	Blocker Blocker
	// Related is the digest of the image that decides: the kept index or subject, or the
	// index that could not be read. For an image that follows it is the digest of the
	// marked image that it follows.
	Related string
	// Follows is true for an image that is deleted only because its parents are.
	Follows bool
}

// A Blocker is why an image is kept although it is wanted gone.
type Blocker string

// The blockers.
const (
	// Child: a kept index lists the image.
	Child Blocker = "child"
	// Subject: the image refers to a kept one.
	Subject Blocker = "subject"
	// Orphan: no image that the image refers to is in the repository.
	Orphan Blocker = "orphan"
	// Unreadable: the manifest of an index could not be read, and the image is that
	// index, contains it or may be one of its children.
	Unreadable Blocker = "unreadableIndex"
)

// Decide returns the decisions for the images of the listing, in its order. Wanted is in
// that order too. If deleteOrphans is false, or the repository holds only referrers, all
// orphans are kept. The order of the listing does not change the decisions.
func (g *Graph) Decide(wanted []Wanted, deleteOrphans bool) []Decision {
	d := decider{
		Graph: g, wanted: wanted, decisions: make([]Decision, len(g.images)),
		keepsOrphans: !deleteOrphans || g.onlyReferrers, unreadBelow: map[int]int{},
	}
	for i := range g.images {
		d.decisions[i] = d.most(i)
	}
	for i := range g.images {
		if d.orphan[i] && d.keepsOrphans {
			d.keep(i)
		}
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

// A decider begins with the most that can be done with each image, and lowers
// dispositions until no image is above its parents. Dispositions never rise, so the result
// does not depend on the order.
type decider struct {
	*Graph
	wanted       []Wanted
	decisions    []Decision
	keepsOrphans bool
	// unreadBelow has, for an index, an index below it that could not be read.
	unreadBelow map[int]int
}

// most returns the most that could be done with the image if its parents allowed it.
func (d *decider) most(i int) Decision {
	im := &d.images[i]
	switch w := d.wanted[i]; {
	case w.Vetoed:
		return Decision{}
	case w.Disposition != Keep:
		return Decision{Disposition: w.Disposition}
	case len(d.parents[i]) == 0 || !nameless(*im) || d.orphan[i] || slices.Contains(d.unread, i):
		return Decision{}
	case im.Status != evaluator.Active && im.Status != evaluator.Archived: // in transition, or not known
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

// bind keeps the image if its disposition is above that of a parent.
func (d *decider) bind(i int) {
	if disposition := d.decisions[i].Disposition; disposition != Keep && d.blockingParent(i, disposition) >= 0 {
		d.keep(i)
	}
}

// blockingParent returns a parent whose disposition is below that one, or -1.
func (d *decider) blockingParent(i int, disposition Disposition) int {
	return d.smallest(d.parents[i], func(parent int) bool { return d.effective(parent) < disposition })
}

// effective returns the disposition of an image, and at least Archive for an image in the
// archive.
func (d *decider) effective(i int) Disposition {
	if d.images[i].Status == evaluator.Archived {
		return max(d.decisions[i].Disposition, Archive)
	}
	return d.decisions[i].Disposition
}

// follow sets Related of each image that follows, and keeps the images above which no
// image is deleted for its own sake.
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

// explain sets the blocker of an image that is kept although it is wanted gone and not
// vetoed.
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

package scenario_test

import "slices"

// A reckoning is what should become of each image: stay, archive or remove.
type reckoning struct {
	*law
	fates   []int
	follows []bool
}

// reckon says what a run is to plan.
func (l *law) reckon() reckoning {
	r := reckoning{l, slices.Clone(l.wants), make([]bool, len(l.images))}
	for i := range r.fates {
		switch {
		case r.vetoed[i]:
			r.fates[i] = stay
		case r.fates[i] == stay && r.mayFollow(i):
			r.fates[i], r.follows[i] = remove, true
		}
	}
	for fell := true; fell; {
		fell = false
		for i, fate := range r.fates {
			if fate != stay && r.mustStay(i) {
				r.fates[i], fell = stay, true
			}
		}
	}
	return r
}

// mayFollow reports whether the image has what it takes to go along: parents,
// no name of its own, no reason to be left alone.
func (r *reckoning) mayFollow(i int) bool {
	if r.retained[i] {
		return false
	}
	named := slices.ContainsFunc(r.images[i].Tags, func(tag string) bool { return !isSubjectTag(tag) })
	settled := r.images[i].Status == "ACTIVE" || r.images[i].Status == "ARCHIVED"
	unread := r.isIndex(i) && !r.readable(i)
	return !named && settled && !unread && !r.isOrphan(i) && len(r.parents(i, false)) > 0
}

func (l *law) isReferrer(i int) bool { return len(l.subjects(i)) > 0 }

func (l *law) isOrphan(i int) bool { return l.isReferrer(i) && len(l.listed(l.subjects(i))) == 0 }

// orphansStay reports whether orphans are kept: because they are to be, or
// because the repository holds nothing but referrers.
func (l *law) orphansStay() bool {
	for i := range l.images {
		if !l.isReferrer(i) {
			return l.trial.orphans == "keep"
		}
	}
	return true
}

// mustStay reports whether something keeps the image from its fate.
func (r *reckoning) mustStay(i int) bool {
	if r.isOrphan(i) && r.orphansStay() || r.overUnread(i) {
		return true
	}
	for _, p := range r.parents(i, false) {
		if r.reach(p) < r.fates[i] {
			return true
		}
	}
	for u := range r.images {
		if r.isIndex(u) && !r.readable(u) && u != i && r.reach(u) < r.fates[i] && r.mayList(u, i) {
			return true
		}
	}
	return r.follows[i] && !r.rooted(i, map[int]bool{})
}

// mayList reports whether an index that could not be read may list the image:
// always, unless the image came after the index had gone to the archive and has
// never been there itself.
func (l *law) mayList(index, i int) bool {
	gone, im := l.images[index].LastArchivedAt, l.images[i]
	return l.images[index].Status != "ARCHIVED" || gone.IsZero() || !im.PushedAt.After(gone) ||
		!im.LastArchivedAt.IsZero() || !im.LastActivatedAt.IsZero()
}

// overUnread reports whether the image is, or leads to, an index that should be
// readable and is not.
func (r *reckoning) overUnread(i int) bool {
	if !r.isIndex(i) || r.images[i].Status == "ARCHIVED" {
		return false
	}
	return !r.readable(i) || slices.ContainsFunc(r.listed(r.images[i].Children), r.overUnread)
}

// reach is how far an image will be gone.
func (r *reckoning) reach(i int) int {
	if r.images[i].Status == "ARCHIVED" {
		return max(r.fates[i], archive)
	}
	return r.fates[i]
}

// rooted reports whether the image leads up to one that goes by itself.
func (r *reckoning) rooted(i int, seen map[int]bool) bool {
	if r.fates[i] == remove && !r.follows[i] {
		return true
	}
	if seen[i] {
		return false
	}
	seen[i] = true
	return r.fates[i] == remove && slices.ContainsFunc(r.parents(i, false), func(p int) bool { return r.rooted(p, seen) })
}

// planned counts what is to go.
func (r *reckoning) planned() int {
	n := 0
	for i, fate := range r.fates {
		if fate != stay || r.untag[i] != nil {
			n++
		}
	}
	return n
}

// carryOut takes out what ECR refuses and what then has to stay with it. Each
// image goes after all that it belongs to; where tags tie images in a circle,
// none can be the first.
func (r *reckoning) carryOut() {
	planned := r.fates
	r.fates = make([]int, len(planned))
	for i := range r.untag {
		if r.refused(i) {
			r.untag[i] = nil
		}
	}
	for went := true; went; {
		went = false
		for i, fate := range planned {
			waits := slices.ContainsFunc(r.parents(i, true), func(p int) bool {
				circle := r.images[p].Status == "ARCHIVED" && r.belongs(p, i, map[int]bool{}) && !slices.Contains(r.parents(i, false), p)
				return r.reach(p) < fate && !circle
			})
			waits = waits || slices.ContainsFunc(r.unreadAbove(i), func(p int) bool { return r.reach(p) < fate })
			if r.fates[i] != fate && !waits && (fate != remove || !r.refused(i)) {
				r.fates[i], went = fate, true
			}
		}
	}
}

// unreadAbove returns the indexes that cannot be read and may list the image,
// unless they belong to it. Of two of them neither waits for the other.
func (r *reckoning) unreadAbove(i int) []int {
	var indexes []int
	for p := range r.images {
		unread := func(i int) bool { return r.isIndex(i) && !r.readable(i) }
		if unread(p) && !unread(i) && r.mayList(p, i) && !r.belongs(p, i, map[int]bool{}) {
			indexes = append(indexes, p)
		}
	}
	return indexes
}

// belongs reports whether the image belongs to the other one.
func (r *reckoning) belongs(i, other int, seen map[int]bool) bool {
	if seen[i] {
		return false
	}
	seen[i] = true
	return slices.ContainsFunc(r.parents(i, false), func(p int) bool { return p == other || r.belongs(p, other, seen) })
}

func (r *reckoning) refused(i int) bool {
	for name := range r.trial.refused {
		if digestOf(name) == r.images[i].Digest {
			return true
		}
	}
	return false
}

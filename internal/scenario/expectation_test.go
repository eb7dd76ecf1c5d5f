package scenario_test

import "slices"

// An expectation says for each image whether a run must keep, archive or remove it.
type expectation struct {
	*model
	dispositions []int
	follows      []bool
}

// expect returns the plan that a run must make.
func (m *model) expect() expectation {
	e := expectation{m, slices.Clone(m.wants), make([]bool, len(m.images))}
	for i := range e.dispositions {
		switch {
		case e.vetoed[i]:
			e.dispositions[i] = stay
		case e.dispositions[i] == stay && e.mayFollow(i):
			e.dispositions[i], e.follows[i] = remove, true
		}
	}
	for fell := true; fell; {
		fell = false
		for i, disposition := range e.dispositions {
			if disposition != stay && e.mustStay(i) {
				e.dispositions[i], fell = stay, true
			}
		}
	}
	return e
}

// mayFollow reports whether the image may be deleted with its parents: it has parents,
// no tag of its own, and nothing protects it.
func (e *expectation) mayFollow(i int) bool {
	if e.retained[i] {
		return false
	}
	named := slices.ContainsFunc(e.images[i].Tags, func(tag string) bool { return !isSubjectTag(tag) })
	settled := e.images[i].Status == "ACTIVE" || e.images[i].Status == "ARCHIVED"
	unread := e.isIndex(i) && !e.readable(i)
	return !named && settled && !unread && !e.isOrphan(i) && len(e.parents(i, false)) > 0
}

func (m *model) isReferrer(i int) bool { return len(m.subjects(i)) > 0 }

func (m *model) isOrphan(i int) bool { return m.isReferrer(i) && len(m.listed(m.subjects(i))) == 0 }

// orphansStay reports whether orphans are kept: the configuration keeps them, or the
// repository has only referrers.
func (m *model) orphansStay() bool {
	for i := range m.images {
		if !m.isReferrer(i) {
			return m.trial.orphans == "keep"
		}
	}
	return true
}

// mustStay reports whether another image or the settings keep the image.
func (e *expectation) mustStay(i int) bool {
	if e.isOrphan(i) && e.orphansStay() || e.overUnread(i) {
		return true
	}
	for _, p := range e.parents(i, false) {
		if e.reach(p) < e.dispositions[i] {
			return true
		}
	}
	for u := range e.images {
		if e.isIndex(u) && !e.readable(u) && u != i && e.reach(u) < e.dispositions[i] && e.mayList(u, i) {
			return true
		}
	}
	return e.follows[i] && !e.rooted(i, map[int]bool{})
}

// mayList reports whether an index that could not be read may list the image. It may, unless the
// image was pushed after the index was archived and the image was never archived itself.
func (m *model) mayList(index, i int) bool {
	gone, im := m.images[index].LastArchivedAt, m.images[i]
	return m.images[index].Status != "ARCHIVED" || gone.IsZero() || !im.PushedAt.After(gone) ||
		!im.LastArchivedAt.IsZero() || !im.LastActivatedAt.IsZero()
}

// overUnread reports whether the image, or an index below it, should be readable and is not.
func (e *expectation) overUnread(i int) bool {
	if !e.isIndex(i) || e.images[i].Status == "ARCHIVED" {
		return false
	}
	return !e.readable(i) || slices.ContainsFunc(e.listed(e.images[i].Children), e.overUnread)
}

// reach returns the disposition of the image, or archive if it is archived already.
func (e *expectation) reach(i int) int {
	if e.images[i].Status == "ARCHIVED" {
		return max(e.dispositions[i], archive)
	}
	return e.dispositions[i]
}

// rooted reports whether an ancestor of the image is deleted because of a rule.
func (e *expectation) rooted(i int, seen map[int]bool) bool {
	if e.dispositions[i] == remove && !e.follows[i] {
		return true
	}
	if seen[i] {
		return false
	}
	seen[i] = true
	return e.dispositions[i] == remove && slices.ContainsFunc(e.parents(i, false), func(p int) bool { return e.rooted(p, seen) })
}

// planned counts the images that the run must change.
func (e *expectation) planned() int {
	n := 0
	for i, disposition := range e.dispositions {
		if disposition != stay || e.untag[i] != nil {
			n++
		}
	}
	return n
}

// carryOut keeps the images that ECR refuses to delete and the images that must be kept
// with them. Each image is removed after its parents. If tags make images related in a
// cycle, none of them can be removed first.
func (e *expectation) carryOut() {
	planned := e.dispositions
	e.dispositions = make([]int, len(planned))
	for i := range e.untag {
		if e.refused(i) {
			e.untag[i] = nil
		}
	}
	for went := true; went; {
		went = false
		for i, disposition := range planned {
			waits := slices.ContainsFunc(e.parents(i, true), func(p int) bool {
				cycle := e.images[p].Status == "ARCHIVED" && e.belongs(p, i, map[int]bool{}) && !slices.Contains(e.parents(i, false), p)
				return e.reach(p) < disposition && !cycle
			})
			waits = waits || slices.ContainsFunc(e.unreadAbove(i), func(p int) bool { return e.reach(p) < disposition })
			if e.dispositions[i] != disposition && !waits && (disposition != remove || !e.refused(i)) {
				e.dispositions[i], went = disposition, true
			}
		}
	}
}

// unreadAbove returns the unread indexes that may list the image and are not related
// images of it. Two unread indexes do not wait for each other.
func (e *expectation) unreadAbove(i int) []int {
	var indexes []int
	for p := range e.images {
		unread := func(i int) bool { return e.isIndex(i) && !e.readable(i) }
		if unread(p) && !unread(i) && e.mayList(p, i) && !e.belongs(p, i, map[int]bool{}) {
			indexes = append(indexes, p)
		}
	}
	return indexes
}

// belongs reports whether the image is a descendant of the other one.
func (e *expectation) belongs(i, other int, seen map[int]bool) bool {
	if seen[i] {
		return false
	}
	seen[i] = true
	return slices.ContainsFunc(e.parents(i, false), func(p int) bool { return p == other || e.belongs(p, other, seen) })
}

func (e *expectation) refused(i int) bool {
	for name := range e.trial.refused {
		if digestOf(name) == e.images[i].Digest {
			return true
		}
	}
	return false
}

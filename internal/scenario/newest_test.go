package scenario_test

import (
	"cmp"
	"slices"
	"strings"
)

// newest returns the newest images that are neither children nor referrers, and as many
// of those that can be pulled. If an index cannot be read, an untagged image may be its
// child. It is kept if it is new enough, but does not count. Images that have, or may
// have, such a new child are kept as well.
func (m *model) newest() []int {
	var kept []int
	all, active := 0, 0
	for _, i := range m.byAge() {
		pullable := m.images[i].Status == "ACTIVE"
		if all >= m.trial.keepNewest && (!pullable || active >= m.trial.keepNewest) {
			continue
		}
		indexes, perhaps := m.indexes(i, false), m.perhaps(i)
		kept = append(kept, indexes...)
		if len(m.subjects(i)) > 0 || len(indexes) > 0 {
			continue
		}
		kept = append(kept, i)
		for _, p := range perhaps {
			if m.images[p].Status == "ARCHIVED" {
				kept = append(kept, p)
			}
		}
		if len(perhaps) > 0 {
			continue
		}
		all++
		if pullable {
			active++
		}
	}
	return kept
}

// perhaps returns the unreadable indexes that may list the image. An archived index lists
// no image that was pushed after it was archived.
func (m *model) perhaps(i int) []int {
	var indexes []int
	if len(m.images[i].Tags) > 0 || m.isIndex(i) {
		return nil
	}
	for p := range m.images {
		if m.isIndex(p) && !m.readable(p) && m.mayList(p, i) {
			indexes = append(indexes, p)
		}
	}
	return indexes
}

// byAge returns the indexes of all images, the newest image first.
func (m *model) byAge() []int {
	places := make([]int, len(m.images))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int {
		return cmp.Or(m.pushed(b).Compare(m.pushed(a)), strings.Compare(m.images[b].Digest, m.images[a].Digest))
	})
	return places
}

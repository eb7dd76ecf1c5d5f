package scenario_test

import (
	"cmp"
	"slices"
	"strings"
)

// newest returns the newest images that are neither children nor referrers,
// and as many of those that can be pulled. Beside an index that cannot be read
// an untagged image may be a child: it is kept while it is as new, and does not
// count.
func (l *law) newest() []int {
	var kept []int
	all, active := 0, 0
	for _, i := range l.byAge() {
		pullable := l.images[i].Status == "ACTIVE"
		if len(l.subjects(i)) > 0 || len(l.indexes(i, false)) > 0 || all >= l.trial.keepNewest && (!pullable || active >= l.trial.keepNewest) {
			continue
		}
		kept = append(kept, i)
		if l.hasUnread() && len(l.images[i].Tags) == 0 && !l.isIndex(i) {
			continue
		}
		all++
		if pullable {
			active++
		}
	}
	return kept
}

// byAge returns the places of all images, the newest first.
func (l *law) byAge() []int {
	places := make([]int, len(l.images))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int {
		return cmp.Or(l.pushed(b).Compare(l.pushed(a)), strings.Compare(l.images[b].Digest, l.images[a].Digest))
	})
	return places
}

func (l *law) hasUnread() bool {
	for i := range l.images {
		if l.isIndex(i) && !l.readable(i) {
			return true
		}
	}
	return false
}

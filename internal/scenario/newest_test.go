package scenario_test

import (
	"cmp"
	"slices"
	"strings"
)

// newest returns the newest images that are neither children nor referrers,
// and as many of those that can be pulled. Beside an index that cannot be read
// an untagged image may be a child: it is kept while it is as new, and does not
// count. What has, or may have, a child as new as these is kept as well.
func (l *law) newest() []int {
	var kept []int
	all, active := 0, 0
	for _, i := range l.byAge() {
		pullable := l.images[i].Status == "ACTIVE"
		if all >= l.trial.keepNewest && (!pullable || active >= l.trial.keepNewest) {
			continue
		}
		indexes, perhaps := l.indexes(i, false), l.perhaps(i)
		kept = append(kept, indexes...)
		if len(l.subjects(i)) > 0 || len(indexes) > 0 {
			continue
		}
		kept = append(kept, i)
		for _, p := range perhaps {
			if l.images[p].Status == "ARCHIVED" {
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

// perhaps returns the indexes that cannot be read and that may list the image.
// One in the archive lists nothing that was pushed after it went there.
func (l *law) perhaps(i int) []int {
	var indexes []int
	if len(l.images[i].Tags) > 0 || l.isIndex(i) {
		return nil
	}
	for p := range l.images {
		if l.isIndex(p) && !l.readable(p) && l.mayList(p, i) {
			indexes = append(indexes, p)
		}
	}
	return indexes
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

package evaluator

import (
	"cmp"
	"slices"
	"strings"
)

// A pushKey orders one image by push time. It holds what most comparisons
// need, so that sorting does not go back to the images.
type pushKey struct {
	sec   int64
	nsec  int32
	index int32
}

// newestFirst returns one key per image, the newest first. AWS names no order
// for images pushed at the same instant; here the smaller digest is the older
// one. Should a digest repeat, the later entry is.
func newestFirst(images []Image) []pushKey {
	keys := make([]pushKey, len(images))
	for i := range images {
		t := images[i].EffectivePushTime()
		keys[i] = pushKey{sec: t.Unix(), nsec: int32(t.Nanosecond()), index: int32(i)}
	}
	slices.SortFunc(keys, func(a, b pushKey) int {
		if a.sec != b.sec {
			return cmp.Compare(b.sec, a.sec)
		}
		if a.nsec != b.nsec {
			return cmp.Compare(b.nsec, a.nsec)
		}
		if c := strings.Compare(images[b.index].Digest, images[a.index].Digest); c != 0 {
			return c
		}
		return cmp.Compare(a.index, b.index)
	})
	return keys
}

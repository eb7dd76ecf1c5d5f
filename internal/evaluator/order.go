package evaluator

import (
	"cmp"
	"slices"
	"strings"
)

// A pushKey orders one image by push time. It holds what most comparisons
// need, so that sorting does not go back to the images.
type pushKey struct {
	pushed Instant
	index  int32
}

// newestFirst returns one key per image, the newest first. AWS names no order
// for images pushed at the same instant; here the smaller digest is the older
// one. Should a digest repeat, the later entry is.
func newestFirst(images []Image) []pushKey {
	keys := make([]pushKey, len(images))
	for i := range images {
		keys[i] = pushKey{images[i].EffectivePushTime(), int32(i)}
	}
	slices.SortFunc(keys, func(a, b pushKey) int {
		if a.pushed != b.pushed {
			return cmp.Compare(b.pushed, a.pushed)
		}
		if c := strings.Compare(images[b.index].Digest, images[a.index].Digest); c != 0 {
			return c
		}
		return cmp.Compare(a.index, b.index)
	})
	return keys
}

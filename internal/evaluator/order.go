package evaluator

import (
	"cmp"
	"slices"
	"strings"
)

// A pushKey is the push time of an image and its index.
type pushKey struct {
	pushed Instant
	index  int32
}

// newestFirst returns one key per image, the newest first. Of images pushed at the same
// instant the one with the greater digest, or else the earlier entry, is the newer one.
func newestFirst(images []Image) []pushKey {
	keys := make([]pushKey, 2*len(images))
	for i := range images {
		keys[i] = pushKey{images[i].EffectivePushTime(), int32(i)}
	}
	keys = byInstant(keys[:len(images)], keys[len(images):])
	for from := 0; from < len(keys); {
		to := from + 1
		for to < len(keys) && keys[to].pushed == keys[from].pushed {
			to++
		}
		if to-from > 1 {
			slices.SortFunc(keys[from:to], func(a, b pushKey) int {
				return cmp.Or(strings.Compare(images[b.index].Digest, images[a.index].Digest), cmp.Compare(a.index, b.index))
			})
		}
		from = to
	}
	return keys
}

// byInstant sorts the keys, the latest first, with a radix sort, which takes a third of the
// time of sorting by comparison. The result is one of the two slices, which have the same
// length; the content of the other is undefined.
func byInstant(keys, spare []pushKey) []pushKey {
	const bits, digits = 8, 64 / 8
	for d := range digits {
		digit := func(k pushKey) uint8 { return uint8(^(uint64(k.pushed) ^ 1<<63) >> (bits * d)) }
		var places [1 << bits]int
		for _, k := range keys {
			places[digit(k)]++
		}
		if len(keys) == 0 || places[digit(keys[0])] == len(keys) {
			continue // all keys have the same digit
		}
		next := 0
		for i, n := range places {
			places[i], next = next, next+n
		}
		for _, k := range keys {
			place := &places[digit(k)]
			spare[*place] = k
			*place++
		}
		keys, spare = spare, keys
	}
	return keys
}

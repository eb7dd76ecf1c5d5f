// Package nearest finds the known name that a person most likely meant by an unknown one.
// It compares names by their edit distance, without regard to case.
package nearest

import (
	"fmt"
	"strings"
)

// Hint returns " (did you mean NAME?)" with the nearest of the known names, or "".
func Hint[T ~string](name string, known []T) string {
	if i := Index(name, known); i >= 0 {
		return fmt.Sprintf(" (did you mean %s?)", known[i])
	}
	return ""
}

// Index returns the index of the known name that is nearest to the name, or -1 if none is
// near. A name is near if it begins with the given one, or differs from it in at most a
// third of its characters. Of two equally near names, Index takes the first in the order
// of bytes.
func Index[T ~string](name string, known []T) int {
	const most = 256 // bytes; no name of a repository, tag or field has more
	if len(name) > most || len(name) < 2 {
		return -1
	}
	best, least := -1, most+1
	wanted, limit := strings.ToLower(name), max(1, len(name)/3)
	for i, k := range known {
		longer := len(k) - len(name) // no distance is less than this, or its negative
		if longer > most || -longer > limit {
			continue
		}
		d, lower := longer, strings.ToLower(string(k))
		if begins := len(name) > 2 && strings.HasPrefix(lower, wanted); !begins {
			if longer > limit {
				continue
			}
			if d = distance(wanted, lower); d > limit {
				continue
			}
		}
		if d < least || d == least && k < known[best] {
			best, least = i, d
		}
	}
	return best
}

// distance returns the optimal string alignment distance: the least number of steps from a to b.
// A step inserts, removes or replaces a byte, or exchanges two neighbours.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

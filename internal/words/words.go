// Package words formats lists and counts for messages.
package words

import (
	"fmt"
	"slices"
)

// Few returns the texts if there are at most five. Otherwise it returns a new list of the
// first five and a text with the number of the others.
func Few(texts []string) []string {
	const most = 5
	if len(texts) <= most {
		return texts
	}
	return append(slices.Clone(texts[:most]), fmt.Sprintf("and %d more", len(texts)-most))
}

// Count returns n with the word one if n is 1, and with the word many otherwise.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

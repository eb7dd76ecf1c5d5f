// Package words formats lists and counts for messages. The texts are English.
package words

import (
	"fmt"
	"slices"
)

// Few returns the first five texts, and then the number of the others if there are any.
func Few(texts []string) []string {
	const most = 5
	if len(texts) <= most {
		return texts
	}
	return append(slices.Clone(texts[:most]), fmt.Sprintf("and %d more", len(texts)-most))
}

// Count returns n with the noun one or many.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

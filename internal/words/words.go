// Package words formats lists and counts for messages. The texts are English.
package words

import (
	"fmt"
	"slices"
	"strings"
)

// Few returns the first five texts, and then the number of the others if there are any.
func Few(texts []string) []string {
	const most = 5
	if len(texts) <= most {
		return texts
	}
	return append(slices.Clone(texts[:most]), fmt.Sprintf("and %d more", len(texts)-most))
}

// And returns the texts as a list in a sentence: "a", "a and b", "a, b and c".
func And(texts []string) string {
	last := len(texts) - 1
	if last < 1 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

// Count returns n with the noun one or many.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

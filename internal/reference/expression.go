package reference

import (
	"regexp"
	"sync"
)

// expression returns a regular expression that is compiled when it is needed:
// most runs of the function begin without one.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

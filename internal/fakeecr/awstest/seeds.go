package awstest

import (
	"fmt"
	"runtime"
	"testing"
)

// Seeds calls try for the seeds from first to first+n-1 in as many parallel subtests as
// there are processors. A subtest ends with its first failure. Each subtest has its own
// tally, and after the last subtest done gets all tallies, unless it is nil.
func Seeds[Tally any](t *testing.T, first uint64, n int, try func(t *testing.T, seed uint64, seen *Tally), done func([]Tally)) {
	t.Helper()
	parts := runtime.GOMAXPROCS(0)
	tallies := make([]Tally, parts)
	if done != nil {
		t.Cleanup(func() { done(tallies) })
	}
	for part := range parts {
		t.Run(fmt.Sprint("part ", part), func(t *testing.T) {
			t.Parallel()
			for i := part; i < n && !t.Failed(); i += parts {
				try(t, first+uint64(i), &tallies[part])
			}
		})
	}
}

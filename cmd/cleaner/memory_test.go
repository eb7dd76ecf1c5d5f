package main

import "testing"

func TestTheMemoryLimitFollowsTheFunction(t *testing.T) {
	t.Parallel()
	for size, want := range map[string]int64{"": 64, "128": 64, "256": 128, "10240": 5120, "64": 64, "much": 64} {
		if got := memoryLimit(size); got != want<<20 {
			t.Errorf("%q MB: %d MB, want %d", size, got>>20, want)
		}
	}
}

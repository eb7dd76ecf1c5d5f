package main

import "testing"

func TestTheMemoryLimitFollowsTheFunction(t *testing.T) {
	t.Parallel()
	for size, want := range map[string]int64{"": 128, "128": 128, "256": 256, "10240": 10240, "64": 128, "much": 128} {
		want = want << 20 * 45 / 100
		if got := memoryLimit(size); got != want {
			t.Errorf("%q MB: %d bytes, want %d", size, got, want)
		}
	}
}

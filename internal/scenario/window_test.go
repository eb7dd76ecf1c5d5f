package scenario_test

import (
	"slices"
	"testing"
	"time"
)

// ECR has no conditional delete: a change between the answer to the re-check and the
// request to remove is not seen. This test measures that time at the server, over HTTP on
// this machine. It is the time that the cleaner adds to the network.
//
//nolint:paralleltest // other tests would be in the way of the measurement
func TestWindow(t *testing.T) {
	for action, groups := range map[string]int{"expire": 2000, "archive": 300} {
		f := newFixture(t, picture{{name: "app"}})
		fill(f, "app", groups, 1, groups)
		report := f.apply(t, configuration(action+" any pushed>30", "", `"limits": {"maxDeletionsPerRepository": 10000}`))
		if n := report.Totals.Deleted + report.Totals.Archived; n != 3*groups {
			t.Fatalf("%d removed, want %d", n, 3*groups)
		}
		for what, windows := range f.windows() {
			slices.Sort(windows)
			t.Logf("%s, %s: %d calls, window median %v, max %v", action, what, len(windows),
				windows[len(windows)/2].Round(time.Microsecond), windows[len(windows)-1].Round(time.Microsecond))
		}
	}
}

// windows returns the times from the answers of re-checks to the requests that rely on
// them: for the first request after a re-check, and for later ones.
func (f *fixture) windows() map[string][]time.Duration {
	windows := map[string][]time.Duration{}
	var checked time.Time
	first := "first request"
	for _, c := range f.journal.calls {
		switch c.operation {
		case "DescribeImages":
			checked, first = c.answered, "first request"
		case "BatchDeleteImage", "UpdateImageStorageClass":
			windows[first] = append(windows[first], c.asked.Sub(checked))
			first = "later requests"
		}
	}
	return windows
}

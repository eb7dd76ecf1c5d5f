package scenario_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// ECR has no conditional delete: what changes between the answer to the
// re-check and the request to remove is not seen. This measures how long that
// is for the server, over HTTP on this machine: what the cleaner itself adds to
// the way to ECR and back.
//
//nolint:paralleltest // other tests would be in the way of the measurement
func TestWindow(t *testing.T) {
	const families = 600
	p := picture{{name: "app"}}
	for i := range families {
		name := fmt.Sprint(i)
		p[0].images = append(p[0].images,
			image{name: "child-" + name, age: 91 * day},
			image{name: "index-" + name, age: 90 * day, index: true, children: []string{"child-" + name}},
			image{name: "plain-" + name, age: 90 * day})
	}
	for _, action := range []string{"expire", "archive"} {
		w := newWorld(t, p)
		report := w.apply(t, configuration(action+" any pushed>30", "", `"limits": {"maxDeletionsPerRepository": 5000}`))
		if n := report.Totals.Deleted + report.Totals.Archived; n != 3*families {
			t.Fatalf("%d removed, want %d", n, 3*families)
		}
		for what, windows := range w.windows() {
			slices.Sort(windows)
			t.Logf("%s, %s: %d calls, window median %v, 99%% %v, max %v", action, what, len(windows),
				windows[len(windows)/2].Round(time.Microsecond), windows[len(windows)*99/100].Round(time.Microsecond),
				windows[len(windows)-1].Round(time.Microsecond))
		}
	}
}

// windows returns the times from the answers to re-checks to the requests that
// rely on them: of the first request after a re-check, and of those after it.
func (w *world) windows() map[string][]time.Duration {
	windows := map[string][]time.Duration{}
	var checked time.Time
	first := "first request"
	for _, c := range w.journal.calls {
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

//go:build integration

package integration_test

import (
	"fmt"
	"testing"
)

const large = 2500

// TestLargeRepository: a listing has several pages, and the deletions need several calls.
// Then ECR throttles most calls for a while.
func TestLargeRepository(t *testing.T) {
	t.Parallel()
	for name, run := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startFaithful(t)
			on := server.registry("us-east-1")
			images := make([]image, large)
			for i := range images {
				images[i] = image{name: fmt.Sprint(i), tags: []string{fmt.Sprintf("v%04d", i)}, days: float64(100 + i)}
			}
			on.inject(t, "team/bulk", images)
			s := scenario{t, run, on}
			s.paged()
			s.throttled()
		})
	}
}

// paged expires 950 of 2,500 images.
func (s scenario) paged() {
	t, on := s.t, s.on
	what := request{mode: "apply", configuration: unprotected(`, "policies": [{"name": "keep", "policy": ` + keepNewest(large-950) + `}]`)}
	applied := s.run(t, on, what, true)
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: large, Expired: 950, Deleted: 950})
	// three pages, and a re-check of each batch before it is deleted
	if applied.Calls["DescribeImages"] != 3+10 || applied.Calls["BatchDeleteImage"] != 10 {
		t.Errorf("calls are %v", applied.Calls)
	}
	left := on.left(t, "team/bulk")
	if len(left) != large-950 || left[0] != "v0000" || left[len(left)-1] != "v1549" {
		t.Errorf("%d images are left, from %s to %s", len(left), left[0], left[len(left)-1])
	}
}

// throttled expires 450 more images, and almost all images of many repositories, while
// ECR throttles most calls. Every repository must be cleaned.
func (s scenario) throttled() {
	t, on := s.t, s.on
	const others, each = 12, 40
	names := on.injectMany(t, others, each)
	on.throttle(t, map[string][2]float64{"ecr": {5, 5}})
	applied := s.run(t, on, request{mode: "apply", configuration: unprotected(`, "policies": [
		{"name": "bulk", "repositories": ["team/bulk"], "policy": ` + keepNewest(large-1400) + `}, {"name": "keep", "policy": ` + keepNewest(1) + `}]`)}, true)
	const expired = 450 + others*(each-1)
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: large - 950 + others*each, Expired: expired, Deleted: expired})
	on.throttle(t, nil)
	refused := 0
	for _, n := range on.calls(t) {
		refused += n.Throttled
	}
	if refused == 0 {
		t.Error("no call was throttled")
	}
	if left := on.left(t, "team/bulk"); len(left) != large-1400 {
		t.Errorf("%d images are left", len(left))
	}
	for _, name := range names {
		on.wantLeft(t, name, "v0")
	}
}

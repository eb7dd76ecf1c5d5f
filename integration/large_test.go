//go:build integration

package integration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

const large = 2500

// TestLargeRepository: a listing has several pages, and the deletions need several calls.
// Then ECR throttles most calls for a while.
func TestLargeRepository(t *testing.T) {
	t.Parallel()
	for name, run := range programs {
		awstest.Parallel(t, name, func(t *testing.T) {
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
	awstest.Equal(t, "DescribeImages calls", 3+10, applied.Calls["DescribeImages"])
	awstest.Equal(t, "BatchDeleteImage calls", 10, applied.Calls["BatchDeleteImage"])
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
	awstest.Equal(t, "images that are left", large-1400, len(on.left(t, "team/bulk")))
	for _, name := range names {
		on.wantLeft(t, name, "v0")
	}
}

// TestDeadline: deletions are throttled so much that the run deletes only a few images
// before its deadline. The report says exactly which images it deleted.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for name, run := range programs {
		awstest.Parallel(t, name, func(t *testing.T) {
			scenario{t, run, startFaithful(t).registry("us-east-1")}.outOfTime()
		})
	}
}

func (s scenario) outOfTime() {
	t, on := s.t, s.on
	const repositories, images, limit = 9, 50, 30 * time.Second
	names := on.injectMany(t, repositories, images)
	on.throttle(t, map[string][2]float64{"ecr:BatchDeleteImage": {0.1, 1}})
	start := time.Now()
	applied := s.run(t, on, request{
		mode: "apply", configuration: unprotected(`, "policies": [{"name": "keep", "policy": ` + keepNewest(1) + `}]`), deadline: limit,
	}, false)
	if took := time.Since(start); took > limit {
		t.Errorf("the run took %v", took)
	}
	on.throttle(t, nil)
	if len(applied.Repositories) != repositories || !applied.Incomplete {
		t.Errorf("%d repositories reported, incomplete is %t", len(applied.Repositories), applied.Incomplete)
	}
	all := applied.Totals
	if all.Evaluated != repositories*images || all.Expired != repositories*(images-1) || all.settled() != all.Expired ||
		all.Deleted == 0 || all.NotAttempted == 0 {
		t.Errorf("totals are %+v", all)
	}
	left := 0
	for i, name := range names {
		got := len(on.left(t, name))
		left += got
		if r := applied.Repositories[i]; r.Name != name || r.settled() != r.Expired || r.Deleted != images-got {
			t.Errorf("of %s %d images are left and %+v is reported", name, got, r.counts)
		}
	}
	awstest.Equal(t, "deleted images", repositories*images-left, all.Deleted)
}

// settled returns the number of images with an outcome.
func (c counts) settled() int {
	return c.Deleted + c.Archived + c.Blocked + c.Changed + c.Gone + c.Failed + c.NotAttempted
}

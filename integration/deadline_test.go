//go:build integration

package integration_test

import (
	"testing"
	"time"
)

// TestDeadline: deletions are throttled so much that the run deletes only a few images
// before its deadline. The report says exactly which images it deleted.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for name, run := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
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
	if repositories*images-left != all.Deleted {
		t.Errorf("%d images are left, %d deleted", left, all.Deleted)
	}
}

// settled returns the number of images with an outcome.
func (c counts) settled() int {
	return c.Deleted + c.Archived + c.Blocked + c.Changed + c.Gone + c.Failed + c.NotAttempted
}

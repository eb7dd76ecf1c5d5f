package scenario_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// A tag that moves while the pages are listed is on an image of each page.
func TestATagThatMovesWhileItIsListedProtectsBoth(t *testing.T) {
	t.Parallel()
	f := many(t, 1500)
	images := f.server.Images("app")
	first, last := images[0].Digest, images[len(images)-1].Digest
	put := func(digest, tag string) {
		f.server.Put("app", fakeecr.Image{Digest: digest, PushedAt: noon.Add(-90 * day), Tags: []string{tag}})
	}
	put(first, "v1")
	f.source("ecs").answer(t, "task/1 app:v1")
	f.onceBefore(second("DescribeImages"), func() { put(last, "v1") })
	report := f.apply(t, configuration("expire any pushed>30", `"inUse": ["ecs"]`, `"limits": {"maxDeletionsPerRepository": 1500}`))
	left := []string{}
	for _, im := range f.server.Images("app") {
		left = append(left, im.Digest)
	}
	want := []string{first, last}
	slices.Sort(left)
	slices.Sort(want)
	if !slices.Equal(left, want) || report.Totals.Protected != 2 {
		t.Errorf("%d images are left, %+v", len(left), report.Totals)
	}
	for _, r := range report.Repositories {
		for _, im := range r.Images {
			if slices.Contains(want, im.ImageDigest) && fmt.Sprint(im.ProtectedBy) != "[inUse task/1]" {
				t.Errorf("%s is protected by %v", im.ImageDigest, im.ProtectedBy)
			}
		}
	}
}

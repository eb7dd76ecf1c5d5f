package scenario_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

func TestTheRegistryChanges(t *testing.T) {
	runAll(t, []scenario{{
		name: "what belongs to an image that has changed stays with it",
		registry: `
			own  91d
			dead 90d >own #v1
			sig  80d ^dead
			note 70d ^sig`,
		policy:    "expire v1 pushed>30",
		meanwhile: func(_ testing.TB, f *fixture) { f.server.Tag("app", digestOf("dead"), "back") },
		want: `
			dead: expire, changed: imageTags changed since the plan
			own: follow dead, blocked: it belongs to dead, which was not removed
			sig: follow dead, blocked: it belongs to dead, which was not removed
			note: follow dead, blocked: it belongs to sig, which was not removed`,
	}, {
		name: "an index is as used as what is below it",
		registry: `
			leaf   93d
			sub    92d >leaf
			top    90d >sub #v1
			beside 80d #v2`,
		policy: "expire v* pushed>30",
		meanwhile: func(_ testing.TB, f *fixture) {
			f.server.Put("app", image{name: "leaf", age: 93 * day, pulled: 1}.detail(noon))
		},
		want: `
			top: expire, changed: lastRecordedPullTime of its child leaf changed since the plan
			sub: follow top, changed: lastRecordedPullTime of its child leaf changed since the plan
			leaf: follow top, changed: lastRecordedPullTime changed since the plan
			beside: expire, deleted`,
	}, {
		name: "one that went by itself takes its own along",
		registry: `
			own  91d
			dead 90d >own #v1`,
		policy:    "expire v1 pushed>30",
		meanwhile: func(_ testing.TB, f *fixture) { f.server.Remove("app", digestOf("dead")) },
		want:      "dead: expire, gone: not there any more\nown: follow dead, deleted",
	}, {
		name: "the repository is deleted",
		registry: `
			old 90d
			repository web
			old 90d`,
		policy:    "expire any pushed>30",
		more:      `"repositories": {"include": ["app"]}`,
		meanwhile: func(_ testing.TB, f *fixture) { f.server.DeleteRepository("app") },
		want:      "old: expire, gone: not there any more",
	}, {
		name: "an index pushed over a child keeps it, and is tried once more",
		registry: `
			child 90d
			other 90d`,
		policy: "expire any pushed>30",
		meanwhile: func(_ testing.TB, f *fixture) {
			f.server.Put("app", image{name: "index", index: true, children: []string{"child"}, tags: []string{"v1"}}.detail(noon))
		},
		want: "child: expire, blocked: ImageReferencedByManifestList: …\nother: expire, deleted",
	}, {
		name: "what ECR refuses is tried once more at the end",
		registry: `
			child 90d
			other 90d`,
		policy: "expire any pushed>30",
		before: func(_ testing.TB, f *fixture) {
			f.server.RefuseImage(digestOf("child"), "ImageReferencedByManifestList")
			f.onceBefore(second("BatchDeleteImage"), func() { f.server.RefuseImage(digestOf("child"), "") })
		},
		want: "child: expire, deleted\nother: expire, deleted",
	}})
}

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

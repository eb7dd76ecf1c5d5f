package scenario_test

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// fill puts groups of an index and its children into a repository, and plain images, all old.
func fill(f *fixture, repo string, groups, children, plain int) {
	put := func(name string, im image) {
		im.name, im.age = name, 90*day
		f.server.Put(repo, im.detail(noon))
	}
	for i := range groups {
		index := image{index: true}
		for c := range children {
			child := fmt.Sprintf("%s-%d-%d", repo, i, c)
			put(child, image{})
			index.children = append(index.children, child)
		}
		put(fmt.Sprintf("%s-%d", repo, i), index)
	}
	for i := range plain {
		put(fmt.Sprintf("%s-plain-%d", repo, i), image{})
	}
}

// A run makes one DescribeImages for 1000 listed images and one for 100 re-checked
// images. Re-checked are the images to delete and the kept children of deleted indexes,
// because pulls of these children protect the index. Groups that are deleted together are
// described together, so with groups of up to f images a call describes at least 101-f
// images. An index with more children than that has them described in separate calls. The
// index of each group is read, 100 in a call. Indexes, their children and other images
// are deleted in separate calls. Each call except the first of a batch has another
// DescribeImages before it, because the earlier call changed the registry.
func TestCallsOfARun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		groups, children, plain int
		want                    map[string]int
	}{
		"a hundred": {0, 0, 100, map[string]int{
			"DescribeImages": 1 + 1, "BatchDeleteImage": 1,
		}},
		"one more": {0, 0, 101, map[string]int{
			"DescribeImages": 1 + 2, "BatchDeleteImage": 2,
		}},
		"a thousand": {0, 0, 1000, map[string]int{
			"DescribeImages": 1 + 10, "BatchDeleteImage": 10,
		}},
		"indexes without children": {250, 0, 0, map[string]int{
			"DescribeImages": 1 + 3, "BatchDeleteImage": 3, "BatchGetImage": 3,
		}},
		"groups of two": {100, 1, 0, map[string]int{
			"DescribeImages": 1 + 2*2, "BatchDeleteImage": 2 * 2, "BatchGetImage": 1,
		}},
		"groups of three: 33 in a call": {100, 2, 0, map[string]int{
			"DescribeImages": 1 + 2*4, "BatchDeleteImage": 2 * 4, "BatchGetImage": 1,
		}},
		"groups of eleven: 9 in a call": {100, 10, 0, map[string]int{
			"DescribeImages": 2 + 2*12, "BatchDeleteImage": 2 * 12, "BatchGetImage": 1,
		}},
		"groups of three and others": {33, 2, 201, map[string]int{
			"DescribeImages": 1 + 2 + 1 + 2, "BatchDeleteImage": 2 + 1 + 2, "BatchGetImage": 1,
		}},
		"a group of 250": {1, 249, 0, map[string]int{
			"DescribeImages": 1 + 3 + 3, "BatchDeleteImage": 1 + 3, "BatchGetImage": 1,
		}},
	} {
		awstest.Parallel(t, name, func(t *testing.T) {
			f := newQuickFixture(picture{{name: "app"}})
			fill(f, "app", c.groups, c.children, c.plain)
			report := f.apply(t, configuration("expire any pushed>30", "", `"limits": {"maxDeletionsPerRepository": 5000}`))
			awstest.Equal(t, "deleted images", c.groups*(1+c.children)+c.plain, report.Totals.Deleted)
			c.want["DescribeRepositories"], c.want["DescribeRegistry"] = 1, 1
			if c.want["BatchGetImage"] > 0 {
				c.want["GetCallerIdentity"], c.want["ListPullTimeUpdateExclusions"] = 1, 1
			}
			awstest.Equal(t, "calls", c.want, f.server.Calls())
		})
	}
}

// An image that does not exist any more costs the re-check at most two calls for each
// halving of a batch of 100.
func TestCallsForImagesThatAreGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, callsForImagesThatAreGone) // where a loaded machine makes no call slow
}

func callsForImagesThatAreGone(t *testing.T) {
	const perGone = 2 * 7 // 2 * log2(100), rounded up
	most := 0
	for gone := range 100 {
		f := newQuickFixture(picture{{name: "app"}})
		for i := range 100 {
			f.server.Put("app", fakeecr.Image{Digest: fmt.Sprintf("sha256:%064x", i), PushedAt: noon.Add(-90 * day)})
		}
		f.onceBefore(second("DescribeImages"), func() { f.server.Remove("app", fmt.Sprintf("sha256:%064x", gone)) })
		report := f.apply(t, configuration("expire any pushed>30", "", ""))
		if report.Totals.Gone != 1 || report.Totals.Deleted != 99 {
			t.Errorf("image %d: %+v", gone, report.Totals)
		}
		most = max(most, f.server.Calls()["DescribeImages"]-2)
	}
	if most > perGone {
		t.Errorf("%d calls for one image that is gone, want at most %d", most, perGone)
	}
	t.Logf("at most %d calls for one image that is gone", most)
}

func TestCallsForManyImagesThatAreGone(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 5, 50, 300} {
		f := newQuickFixture(picture{{name: "app"}})
		fill(f, "app", 0, 0, 300)
		f.onceBefore(second("DescribeImages"), func() {
			for i := range n {
				f.server.Remove("app", digestOf(fmt.Sprintf("app-plain-%d", i)))
			}
		})
		report := f.apply(t, configuration("expire any pushed>30", "", ""))
		calls := f.server.Calls()["DescribeImages"] - 1
		if report.Totals.Gone != n || calls > 3+14*n {
			t.Errorf("%d gone: %+v, %d calls", n, report.Totals, calls)
		}
		t.Logf("%d of 300 gone: %d calls", n, calls)
	}
}

// If no image is marked, the run reads no manifest and does not call GetCallerIdentity.
// Otherwise it reads the manifests of indexes, 100 in a call, and whether ECR
// replicates the repositories. It scans the in-use
// sources once, while the images are listed.
func TestCallsOfAPlan(t *testing.T) {
	t.Parallel()
	lists := map[string]int{"DescribeRepositories": 1, "DescribeImages": 3}
	reads := map[string]int{"BatchGetImage": 3 * 2, "GetCallerIdentity": 1, "ListPullTimeUpdateExclusions": 1}
	for name, c := range map[string]struct {
		policy string
		want   []map[string]int
	}{
		"nothing is marked":                   {"expire any pushed>365", []map[string]int{lists}},
		"nothing is marked, counted by pulls": {"archive any pulled>365", []map[string]int{lists}},
		"something is":                        {"expire any count>100", []map[string]int{lists, reads, {"GetRepositoryPolicy": 3, "GetLifecyclePolicy": 3, "DescribeRegistry": 1}}},
	} {
		awstest.Parallel(t, name, func(t *testing.T) {
			p := picture{{name: "app"}, {name: "web"}, {name: "job"}}
			f := newQuickFixture(p)
			for _, repo := range p {
				fill(f, repo.name, 120, 1, 0)
			}
			f.plan(t, configuration(c.policy, `"inUse": ["ecs"]`, ""))
			want := map[string]int{}
			for _, calls := range c.want {
				maps.Copy(want, calls)
			}
			awstest.Equal(t, "calls", want, f.server.Calls())
			awstest.Equal(t, "queries of what is in use", 1, f.source("ecs").asked)
		})
	}
}

// The run reads no manifests of repositories without marked images or without indexes.
func TestCallsOfAPlanWithoutIndexes(t *testing.T) {
	t.Parallel()
	f := newQuickFixture(picture{{name: "app"}, {name: "web"}})
	fill(f, "app", 0, 0, 10)
	f.plan(t, configuration("expire any pushed>30", "", ""))
	want := map[string]int{"DescribeRepositories": 1, "DescribeRegistry": 1, "DescribeImages": 2}
	awstest.Equal(t, "calls", want, f.server.Calls())
}

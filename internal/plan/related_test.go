package plan_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// expireUntagged expires untagged images older than a day.
const expireUntagged = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}`

// verdicts returns the action and the protection of each planned image, by digest.
func verdicts(plan *plan.Plan) map[string]string {
	by := map[string]string{}
	for _, im := range plan.Images {
		by[im.Digest] = string(im.Action)
		for _, p := range im.ProtectedBy {
			by[im.Digest] += ", " + p.String()
		}
	}
	return by
}

func TestRelatedImagesOfAKeptImageAreKept(t *testing.T) {
	t.Parallel()
	cosign := "sha256-" + strings.Repeat("a", 64)
	for name, test := range map[string]struct {
		images   []evaluator.Image
		children map[string][]string
		config   string
		want     map[string]string
	}{
		"children of an index": {
			[]evaluator.Image{index("i", 2*day, "v1"), image("c", 3*day), image("other", 3*day)},
			map[string][]string{"i": {"c", "not listed"}},
			withPolicy(expireUntagged, ""),
			map[string]string{"c": "expire, child i", "other": "expire"},
		},
		"children of a protected index": {
			[]evaluator.Image{index("i", 2*day, "latest"), image("c", 3*day)},
			map[string][]string{"i": {"c"}},
			`{"policies": [{"policy": ` + expireOld + `}], "protect": {"inUse": [], "keepNewest": 0}}`,
			map[string]string{"i": "expire, tagPatterns latest", "c": "expire, child i"},
		},
		"referrers of an image": {
			[]evaluator.Image{image("s", 2*day, "v1"), withSubject(image("sig", 2*day), "s"), withSubject(image("orphan", 2*day), "gone")},
			nil,
			withPolicy(expireUntagged, ""),
			map[string]string{"sig": "expire, subject s", "orphan": "expire, orphan gone"},
		},
		"orphans only if they may be deleted": {
			[]evaluator.Image{image("s", 2*day, "v1"), withSubject(image("sig", 2*day), "s"), withSubject(image("orphan", 2*day), "gone")},
			nil,
			withPolicy(expireUntagged, `, "orphans": "delete"`),
			map[string]string{"sig": "expire, subject s", "orphan": "expire"},
		},
		"signatures by tag": {
			[]evaluator.Image{image("sha256:"+strings.Repeat("a", 64), time.Hour, "v1"), image("sig", 2*day, cosign+".sig")},
			nil,
			withPolicy(expireOld, ""),
			map[string]string{"sig": "expire, subject sha256:" + strings.Repeat("a", 64)},
		},
		"possible children of an unreadable index": {
			[]evaluator.Image{index("i", 2*day, "v1"), image("older", 3*day), image("newer", 2*day-time.Second)},
			nil,
			withPolicy(expireUntagged, ""),
			map[string]string{"older": "expire, unreadableIndex i", "newer": "expire, unreadableIndex i"},
		},
	} {
		w := newFakeRegistry(test.images...)
		w.Children = test.children
		plan := mustPlan(t, w, test.config)
		awstest.Equal(t, name+": verdicts", test.want, verdicts(&plan))
	}
}

func TestRelatedImagesFollowTheLastThatReferencesThem(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(
		index("dead", 3*day, "dead-1"), image("own", 3*day), image("shared", 3*day), image("named", 3*day, "amd64"),
		index("live", 2*day, "v2"), withSubject(image("sig", time.Hour), "own"))
	w.Children = map[string][]string{"dead": {"own", "shared", "named"}, "live": {"shared"}}
	p := mustPlan(t, w, withPolicy(expireDead, ""))
	want := map[string]string{"dead": "expire", "own": "follow", "sig": "follow"}
	awstest.Equal(t, "verdicts", want, verdicts(&p))
	for _, im := range p.Images {
		if im.Action == plan.Follow && (im.Reason != "no other image references it; deleted with dead" || im.Rule != 0) {
			t.Errorf("%s: rule %d, reason %q", im.Digest, im.Rule, im.Reason)
		}
	}
	r := newRunner(t, w, withPolicy(expireDead, ""))
	report := run(t, &r)
	if got := report.Totals; got.Expired != 1 || got.Followed != 2 || got.Deleted != 3 {
		t.Errorf("totals %+v, want 1 expired, 2 followed and 3 deleted", got)
	}
	awstest.Equal(t, "left", []string{"live", "named", "shared"}, w.Digests("app"))
}

func TestARetainedImageDoesNotFollow(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(index("dead", 3*day, "dead-1"), image("own", 3*day))
	w.Children = map[string][]string{"dead": {"own"}}
	retaining := strings.Replace(expireDead, `"rules": [`,
		`"rules": [{"rulePriority": 9, "selection": {"tagStatus": "untagged"}, "action": {"type": "retain"}}, `, 1)
	plan := mustPlan(t, w, withPolicy(retaining, ""))
	awstest.Equal(t, "verdicts", map[string]string{"dead": "expire"}, verdicts(&plan))
}

func TestUntaggingIsPlannedAndRemovesNoImage(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 3*day, "dead-1", "v1"), image("b", 3*day, "dead-2"))
	text := withPolicy(strings.Replace(expireDead, "expire", "untag", 1), "")
	plan := mustPlan(t, w, text)
	awstest.Equal(t, "verdicts", map[string]string{"a": "untag"}, verdicts(&plan))
	r := newRunner(t, w, text)
	report := run(t, &r)
	if got := report.Totals; got.Untagged != 1 || got.TagsRemoved != 1 || got.Expired+got.Deleted != 0 || got.ReclaimableBytes != 0 {
		t.Errorf("totals %+v, want 1 that lost tags", got)
	}
	awstest.Equal(t, "left", []string{"a", "b"}, w.Digests("app"))
}

func TestFollowersCountInLimits(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]plan.SkipCode{2: plan.SkipLimit, 3: ""} {
		w := newFakeRegistry(index("dead", 3*day, "dead-1"), image("a", 3*day), image("b", 3*day), image("kept", 3*day, "v1"))
		w.Children = map[string][]string{"dead": {"a", "b"}}
		r := newRunner(t, w, withPolicy(expireDead, fmt.Sprintf(`, "limits": {"maxDeletionsPerRepository": %d}`, limit)))
		report := run(t, &r)
		awstest.Equal(t, fmt.Sprintf("limit %d: skipped", limit), want, report.Repositories[0].Skipped)
	}
}

// If the listing lacks the media type of an image, its manifest tells whether it is an
// index. If the manifest cannot be read, the image may be an index.
func TestAnImageWithoutAMediaTypeMayBeAnIndex(t *testing.T) {
	t.Parallel()
	untyped := image("sha256:i", 9*day)
	untyped.ManifestMediaType = ""
	for name, test := range map[string]struct {
		answer func(plan.Reading) plan.Reading
		want   []string // to be kept
	}{
		"an index": {func(r plan.Reading) plan.Reading {
			r.Children, r.Failed = map[string][]string{"sha256:i": {"sha256:c"}}, nil
			return r
		}, []string{"sha256:c", "sha256:i"}},
		"no index": {func(r plan.Reading) plan.Reading {
			r.Failed = []plan.Failure{{Digest: "sha256:i", Code: plan.CodeNoIndex}}
			return r
		}, []string{"sha256:c"}},
		"not read": {func(r plan.Reading) plan.Reading {
			r.Failed = []plan.Failure{{Digest: "sha256:i", Code: "KmsError"}}
			return r
		}, []string{"sha256:c", "sha256:i"}},
	} {
		w := newFakeRegistry(untyped, image("sha256:c", 9*day))
		r := newRunner(t, w, scanned)
		r.Registry = answering{w.Reader(), test.answer}
		scans(&r, inuse.Scan{Uses: []inuse.Use{use("sha256:c", "task")}})
		report := run(t, &r)
		if got := w.Digests("app"); !slices.Equal(got, test.want) || report.Incomplete != (name == "not read") {
			t.Errorf("%s: left %v, want %v; findings %v", name, got, test.want, report.Findings)
		}
	}
}

// answering is a registry with its own answer to requests for manifests.
type answering struct {
	reader
	answer func(plan.Reading) plan.Reading
}

func (a answering) Children(ctx context.Context, repository string, indexes []string) (plan.Reading, error) {
	reading, err := a.reader.Children(ctx, repository, indexes)
	return a.answer(reading), err
}

// The repository has thousands of archived indexes, which cannot be read, and their children.
func TestManyArchivedIndexes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{500, 2000} {
		var images []evaluator.Image
		for i := range n {
			x := index(fmt.Sprintf("x%05d", i), 400*day)
			x.Status, x.LastArchivedAt = evaluator.Archived, evaluator.At(now.Add(-200*day))
			images = append(images, x)
			for k := range 3 {
				im := image(fmt.Sprintf("c%05d-%d", i, k), 400*day)
				im.Status, im.LastArchivedAt = evaluator.Archived, evaluator.At(now.Add(-200*day))
				images = append(images, im)
			}
		}
		w := newFakeRegistry(images...)
		const policy = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 100}, "action": {"type": "expire"}}]}`
		plan := mustPlan(t, w, `{"policies": [{"policy": `+policy+`}], `+unprotected+`}`)
		parents := 0
		for i := range plan.Images {
			parents += len(plan.Images[i].Parents)
		}
		if parents > 0 {
			t.Errorf("%d parents of %d images", parents, 4*n)
		}
	}
}

// A plan that is made again has no reservation in the memory budget. The run makes only a
// few of them at the same time.
func TestPlansMadeAgainAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry()
		for i := range 7 {
			w.Add(fmt.Sprint("r", i))
		}
		var mu sync.Mutex
		clock := now
		l := &secondListing{reader: w.Reader(), all: make(chan struct{}), seen: map[string]int{}}
		r := newRunner(t, w, `{"policies": [{"policy": `+expireOld+`}], "limits": {"maxDeletionsPerRepository": 100000, "maxDeletions": 1000000}, "protect": {"inUse": ["ecs"], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`)
		r.Registry, r.Workers = l, 8
		r.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
		r.Scan = func(context.Context) inuse.Scan {
			return inuse.Scan{At: r.Clock(), Counts: map[string]int{"ecs": 1}}
		}
		var once sync.Once
		r.Remover = w.Remover().BeforeDescribe(func(string) {
			once.Do(func() { mu.Lock(); clock = clock.Add(11 * time.Minute); mu.Unlock() })
			time.Sleep(time.Second)
		})
		done := make(chan report.Report)
		go func() { done <- run(t, &r) }()
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := l.held.Load(); n > 50_000 {
			t.Errorf("%d images are in memory for plans that are made again", n)
		}
		close(l.all)
		<-done
	})
}

// secondListing lists 20,000 images of each repository, 150 of them old. In the second
// listing of a repository it waits for all to be closed and counts the images until then.
type secondListing struct {
	reader
	all  chan struct{}
	held atomic.Int64
	mu   sync.Mutex
	seen map[string]int
}

func (l *secondListing) Images(_ context.Context, repository string) iter.Seq2[[]evaluator.Image, error] {
	return func(yield func([]evaluator.Image, error) bool) {
		l.mu.Lock()
		l.seen[repository]++
		second := l.seen[repository] > 1
		l.mu.Unlock()
		images := fixture.Numbered(20_000, time.Hour)
		for i := range images[:150] {
			images[i].PushedAt = evaluator.At(now.Add(-9 * day))
		}
		if second {
			l.held.Add(int64(len(images)))
		}
		if !yield(images, nil) {
			return
		}
		if second {
			<-l.all
		}
	}
}

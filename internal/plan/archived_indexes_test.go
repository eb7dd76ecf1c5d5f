package plan_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// The repository has thousands of archived indexes, which cannot be read, and their
// children.
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
		rem := w.Remover()
		describe := rem.DescribeFunc
		var once sync.Once
		rem.DescribeFunc = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
			once.Do(func() { mu.Lock(); clock = clock.Add(11 * time.Minute); mu.Unlock() })
			time.Sleep(time.Second)
			return describe(ctx, repository, digests)
		}
		r.Remover = rem
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
		images := numbered(20_000, time.Hour)
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

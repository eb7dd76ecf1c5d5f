package cleaner_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const (
	largeRepositories = 5000
	largeImages       = 200 // in each: 90 expire, 10 are protected by their tag, 100 are too young
	largeExpired      = 90
)

// A largeRegistry makes its images when they are listed. All calls share one rate.
type largeRegistry struct {
	mu      sync.Mutex
	next    time.Time
	calls   int
	deleted [largeRepositories][largeImages]bool
}

// call waits for the next of 10 calls a second.
func (l *largeRegistry) call(ctx context.Context) error {
	l.mu.Lock()
	now := time.Now()
	if l.next.Before(now) {
		l.next = now
	}
	wait := l.next.Sub(now)
	l.next = l.next.Add(time.Second / 10)
	l.calls++
	l.mu.Unlock()
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *largeRegistry) images(repository string) (images []evaluator.Image) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, gone := range l.deleted[number(repository)] {
		switch digest := fmt.Sprintf("i-%d", i); {
		case gone:
		case i < largeExpired:
			images = append(images, image(digest, 9*day))
		case i < 100:
			images = append(images, image(digest, 9*day, fmt.Sprintf("v%d", i)))
		default:
			images = append(images, image(digest, day))
		}
	}
	return images
}

func number(name string) (n int) {
	_, _ = fmt.Sscanf(name, "r-%d", &n)
	return n
}

func (l *largeRegistry) reader() reader {
	return reader{
		RepositoriesFunc: func(context.Context) (list []plan.Repository, err error) {
			for i := range largeRepositories {
				list = append(list, plan.Repository{Name: fmt.Sprintf("r-%d", i), RegistryID: fixture.Account})
			}
			return list, nil
		},
		PolicyTextFunc: func(context.Context, string) (string, error) { return "", plan.ErrNoPolicy },
		ImagesFunc: func(ctx context.Context, repository string) ([]evaluator.Image, error) {
			for range 2 { // pages
				if err := l.call(ctx); err != nil {
					return nil, err
				}
			}
			return l.images(repository), nil
		},
		ChildrenFunc: func(context.Context, string, []string) (map[string][]string, error) { return nil, nil },
	}
}

func (l *largeRegistry) remover() remover {
	return remover{
		DescribeFunc: func(ctx context.Context, repository string, digests []string) (found []evaluator.Image, err error) {
			for _, im := range l.images(repository) {
				for _, digest := range digests {
					if digest == im.Digest {
						found = append(found, im)
					}
				}
			}
			return found, l.call(ctx)
		},
		DeleteFunc: func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
			if err := l.call(context.WithoutCancel(ctx)); err != nil {
				return apply.Deletion{}, err
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.calls%50 == 0 {
				return apply.Deletion{}, apply.ErrThrottled
			}
			for _, digest := range digests {
				var i int
				_, _ = fmt.Sscanf(digest, "i-%d", &i)
				l.deleted[number(repository)][i] = true
			}
			return apply.Deletion{Deleted: digests}, nil
		},
	}
}

// A registry of 1,000,000 images with 10 calls a second needs several runs of 15 minutes.
func TestAMillionImagesAreCleanedByRunsThatContinue(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1_000_000, 90_000} {
		synctest.Test(t, func(t *testing.T) {
			l := &largeRegistry{}
			next, sum, rounds := &config.Continuation{}, report.Totals{}, 0
			handled := map[string]int{}
			for ; next != nil; rounds++ {
				before := next
				ctx, cancel := context.WithTimeout(t.Context(), 900*time.Second)
				limited, stop, end := function.Limit(ctx, time.Now())
				r := newRunner(t, newFakeRegistry(), fmt.Sprintf(`{"policies": [{"policy": `+expireOld+`}], "limits": {"maxDeletions": %d},
					"protect": {"inUse": [], "tagPatterns": ["v*"], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`, most))
				r.Registry, r.Remover, r.Continue, r.Stop, r.Workers = l.reader(), l.remover(), next, stop, 8
				got, err := r.Run(limited)
				if err != nil || ctx.Err() != nil || !got.Progressed(before) {
					t.Fatalf("round %d: %v, %v, progressed %t", rounds, err, ctx.Err(), got.Progressed(before))
				}
				end()
				cancel()
				sum.AddRound(got.Totals)
				for _, repository := range got.Repositories {
					if !repository.Partial {
						handled[repository.Name]++
					}
				}
				next = got.Continuation
			}
			for name, times := range handled {
				if times != 1 {
					t.Errorf("%s is handled %d times", name, times)
				}
			}
			deleted := min(most, largeRepositories*largeExpired)
			want := report.Totals{Repositories: largeRepositories, Skipped: largeRepositories - deleted/largeExpired}
			want.Evaluated, want.Expired, want.Protected = largeRepositories*largeImages, largeRepositories*largeExpired, largeRepositories*10
			want.Deleted = deleted
			want.ReclaimableBytes, want.DeletedBytes = sum.ReclaimableBytes, sum.DeletedBytes
			awstest.Equal(t, fmt.Sprintf("totals of %d rounds", rounds), want, sum)
			if len(handled) != largeRepositories || rounds < 2 {
				t.Errorf("%d repositories are handled in %d rounds", len(handled), rounds)
			}
		})
	}
}

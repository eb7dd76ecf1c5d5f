package progress

import (
	"context"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// counts are the counts of the run in progress.
type counts struct {
	repositories                      cleaner.Progress
	phase                             atomic.Value // a string
	attempts                          atomic.Pointer[func() (all, throttled int)]
	listed, images, deleted, archived atomic.Int64
	scans, deletions, archivals       atomic.Int64 // calls and scans that have not ended
}

// Phase sets the name of the present work, such as "planning".
func (c *counts) Phase(words string) { c.phase.Store(words) }

// Watch counts the calls that are made through the registry.
func (c *counts) Watch(registry *function.Registry) {
	if registry.Attempts != nil {
		c.attempts.Store(&registry.Attempts)
	}
	if r, ok := registry.Reader.(reader); ok {
		registry.Reader = countedReader{r, c}
	}
	registry.Remover = countedRemover{registry.Remover, c}
}

// calls returns the number of attempts at calls, and of those that were throttled.
func (c *counts) calls() (all, throttled int) {
	if attempts := c.attempts.Load(); attempts != nil {
		return (*attempts)()
	}
	return 0, 0
}

// WatchRun counts the repositories and the in-use scans of a run.
func (c *counts) WatchRun(r *cleaner.Runner) {
	r.Progress = &c.repositories
	if scan := r.Scan; scan != nil {
		r.Scan = func(ctx context.Context) inuse.Scan {
			defer during(&c.scans)()
			return scan(ctx)
		}
	}
}

// during counts until the returned function is called.
func during(n *atomic.Int64) (end func()) {
	n.Add(1)
	return func() { n.Add(-1) }
}

// finishing names the calls that an interrupted program finishes.
func (c *counts) finishing() string {
	var calls []string
	for _, kind := range []struct {
		n    int64
		noun string
	}{{c.deletions.Load(), "delete call"}, {c.archivals.Load(), "archive call"}} {
		if kind.n > 0 {
			calls = append(calls, text.Count(int(kind.n), kind.noun))
		}
	}
	if len(calls) == 0 {
		return "stopping"
	}
	return "finishing " + english.WordSeries(calls, "and")
}

// A reader has all methods that package plan looks for in a registry.
type reader interface {
	plan.Registry
	plan.TagReader
	plan.NamedReader
	plan.PolicyReader
}

type countedReader struct {
	reader
	counts *counts
}

// Repositories also begins a new count, because every run lists the repositories first.
func (r countedReader) Repositories(ctx context.Context) iter.Seq2[plan.Repository, error] {
	return func(yield func(plan.Repository, error) bool) {
		c := r.counts
		c.Phase("listing repositories")
		c.repositories.Begin(0)
		for _, n := range []*atomic.Int64{&c.listed, &c.images, &c.deleted, &c.archived} {
			n.Store(0)
		}
		defer c.Phase("planning")
		for repository, err := range r.reader.Repositories(ctx) {
			c.listed.Add(1)
			if !yield(repository, err) {
				return
			}
		}
	}
}

func (r countedReader) Images(ctx context.Context, repository string) iter.Seq2[[]evaluator.Image, error] {
	return func(yield func([]evaluator.Image, error) bool) {
		for images, err := range r.reader.Images(ctx, repository) {
			r.counts.images.Add(int64(len(images)))
			if !yield(images, err) {
				return
			}
		}
	}
}

type countedRemover struct {
	apply.Remover
	counts *counts
}

func (r countedRemover) Delete(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
	r.counts.Phase("deleting")
	defer during(&r.counts.deletions)()
	d, err := r.Remover.Delete(ctx, repository, digests)
	distinct := slices.Compact(slices.Sorted(slices.Values(d.Deleted))) // ECR names an image once for each tag
	r.counts.deleted.Add(int64(len(distinct)))
	return d, err
}

func (r countedRemover) Untag(ctx context.Context, repository string, tags []string) (apply.Untagging, error) {
	r.counts.Phase("deleting")
	defer during(&r.counts.deletions)()
	return r.Remover.Untag(ctx, repository, tags)
}

func (r countedRemover) Archive(ctx context.Context, repository, digest string) error {
	r.counts.Phase("archiving")
	defer during(&r.counts.archivals)()
	err := r.Remover.Archive(ctx, repository, digest)
	if err == nil {
		r.counts.archived.Add(1)
	}
	return err
}

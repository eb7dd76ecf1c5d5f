package inuse

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// maxCalls is how many calls one source has under way at a time.
const maxCalls = 8

// each does the work for every item, for some of them at the same time. The
// first error stops what is under way and is returned.
func each[T any](ctx context.Context, items []T, work func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(maxCalls, len(items)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				if err := work(ctx, items[i]); err != nil {
					stop(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// gather is each for work that has results. They come in the order of the
// items.
func gather[T, R any](ctx context.Context, items []T, work func(context.Context, T) ([]R, error)) ([]R, error) {
	results := make([][]R, len(items))
	places := make([]int, len(items))
	for i := range places {
		places[i] = i
	}
	err := each(ctx, places, func(ctx context.Context, i int) (err error) {
		results[i], err = work(ctx, items[i])
		return err
	})
	return slices.Concat(results...), err
}

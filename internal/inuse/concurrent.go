package inuse

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// maxCalls is the number of concurrent calls of one source.
const maxCalls = 8

// Each calls work for every item, for up to eight items at the same time. The first
// error cancels the context of the other calls, and Each returns it.
func Each[T any](ctx context.Context, items []T, work func(context.Context, T) error) error {
	_, err := Gather(ctx, items, func(ctx context.Context, item T) ([]struct{}, error) { return nil, work(ctx, item) })
	return err
}

// Gather is [Each] for work that has results. It returns them in the order of the items.
func Gather[T, R any](ctx context.Context, items []T, work func(context.Context, T) ([]R, error)) ([]R, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	results := make([][]R, len(items))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(maxCalls, len(items)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				var err error
				if results[i], err = work(ctx, items[i]); err != nil {
					stop(err)
				}
			}
		})
	}
	wg.Wait()
	return slices.Concat(results...), context.Cause(ctx)
}

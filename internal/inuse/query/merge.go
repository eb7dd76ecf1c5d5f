package query

import (
	"context"
	"fmt"
	"iter"
	"sync"
)

// Merge yields the results of all items, of up to most items at the same time, in any
// order. An item that fails ends only its own sequence. The last error that Merge yields
// has the errors of all items that failed, in their order.
func Merge[T, R any](ctx context.Context, most int, items []T, results func(context.Context, T) iter.Seq2[R, error]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		found, failures := make(chan R), make([]error, len(items))
		defer func() {
			stop()
			for range found { // until the last sequence has ended
			}
		}()
		go func() {
			defer close(found)
			each(most, len(items), func(i int) {
				defer recovered(func(err error) { failures[i] = err })
				for result, err := range results(ctx, items[i]) {
					if err != nil {
						failures[i] = err
						return
					}
					found <- result
				}
			})
		}()
		for result := range found {
			if !yield(result, nil) {
				return
			}
		}
		if err := join(failures); err != nil {
			var none R
			yield(none, err)
		}
	}
}

// each calls work for the numbers below n, up to most at the same time.
func each(most, n int, work func(int)) {
	free := make(chan struct{}, most)
	var wg sync.WaitGroup
	for i := range n {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			work(i)
		})
	}
	wg.Wait()
}

func join(failures []error) (all error) {
	for _, err := range failures {
		switch {
		case err == nil:
		case all == nil:
			all = err
		default:
			all = fmt.Errorf("%w; %w", all, err)
		}
	}
	return all
}

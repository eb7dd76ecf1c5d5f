// Package query makes the calls of the in-use sources: several at a time, page after page.
// It turns a failed call into an error that says what to do, such as to allow an IAM action.
package query

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const maxCalls = 8 // of one source, at the same time

// Each calls work for every item, for up to eight items at the same time. The first
// error cancels the context of the other calls, and Each returns it. A panic is an error.
func Each[T any](ctx context.Context, items []T, work func(context.Context, T) error) error {
	_, err := Gather(ctx, items, func(ctx context.Context, item T) ([]struct{}, error) { return nil, work(ctx, item) })
	return err
}

// Gather is [Each] for work that has results. They are in the order of the items.
func Gather[T, R any](ctx context.Context, items []T, work func(context.Context, T) ([]R, error)) ([]R, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	results := make([][]R, len(items))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(maxCalls, len(items)) {
		wg.Go(func() {
			defer recovered(stop)
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

// recovered makes a panic of the goroutine an error, which would otherwise end the program.
func recovered(fail func(error)) {
	if cause := recover(); cause != nil {
		fail(fmt.Errorf("the program is faulty: %v; please report it", cause))
	}
}

// Pages returns the items of a listing. Fetch returns the page for a token; read returns
// the items of a page and the next token. The first error ends the sequence. A page
// without a list is an error, and so is a token that is repeated.
func Pages[P, T any](fetch func(token *string) (P, error), read func(P) ([]T, *string)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		tokens := map[string]bool{}
		for token := (*string)(nil); ; {
			page, err := fetch(token)
			if err != nil {
				yield(none, err)
				return
			}
			items, next := read(page)
			if items == nil { // an empty list is not nil
				yield(none, errors.New("the answer has no list"))
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if aws.ToString(next) == "" {
				return
			}
			if tokens[*next] {
				yield(none, errors.New("the listing is cut short: a page token is repeated"))
				return
			}
			tokens[*next] = true
			token = next
		}
	}
}

// List returns all items of a listing, or the first error of [Pages].
func List[P, T any](fetch func(token *string) (P, error), read func(P) ([]T, *string)) ([]T, error) {
	var all []T
	for item, err := range Pages(fetch, read) {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

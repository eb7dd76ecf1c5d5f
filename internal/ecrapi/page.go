package ecrapi

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"sync"
)

var errRepeatedToken = errors.New("the listing is cut short: ECR repeats a page token; run again")

// A page is one answer of a paged operation. The token next is "" on the last page.
type page[T any] struct {
	items []T
	next  string
}

// converted ends before the first item that convert refuses, with the error of that item.
func converted[In, T any](in []In, convert func(In) (T, error)) ([]T, error) {
	items := make([]T, 0, len(in))
	for _, item := range in {
		out, err := convert(item)
		if err != nil {
			return items, err
		}
		items = append(items, out)
	}
	return items, nil
}

// unique fetches all pages, the first with a nil token, and yields each item once. After a
// push or a deletion ECR may list an image on two pages. An item that is listed again with
// another content is an error; a nil content compares nothing. The first error ends the
// sequence, after the items that fetch returned with it.
func unique[T any](operation string, key func(*T) string, content func(*T) uint64, fetch func(token *string) (page[T], error)) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		seen := sets.Get().(map[string]uint64)
		defer func() {
			if len(seen) <= maxResults { // most listings have one page
				clear(seen)
				sets.Put(seen)
			}
		}()
		tokens := map[string]bool{}
		for token := (*string)(nil); ; {
			p, err := fetch(token)
			if err == nil && tokens[p.next] {
				p, err = page[T]{}, errRepeatedToken
			}
			fresh, changed := unseen(p.items, key, content, seen)
			if len(fresh) > 0 && !yield(fresh, nil) {
				return
			}
			if err = cmp.Or(changed, err); err != nil {
				yield(nil, fmt.Errorf("%s: %w", operation, err))
				return
			}
			if p.next == "" {
				return
			}
			tokens[p.next] = true
			token = &p.next
		}
	}
}

// sets holds maps from the key of an item to the hash of its content.
var sets = sync.Pool{New: func() any { return make(map[string]uint64, maxResults) }}

// unseen moves the items with new keys to the front of items, and returns them.
func unseen[T any](items []T, key func(*T) string, content func(*T) uint64, seen map[string]uint64) ([]T, error) {
	n := 0
	for i := range items {
		name, hash := key(&items[i]), uint64(0)
		if content != nil {
			hash = content(&items[i])
		}
		before, known := seen[name]
		switch {
		case known && before != hash:
			return items[:n], fmt.Errorf("%s changed while the pages were listed; run again", name)
		case known:
			continue
		}
		seen[name] = hash
		if n != i {
			items[n] = items[i]
		}
		n++
	}
	return items[:n], nil
}

func oneByOne[T any](pages iter.Seq2[[]T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for items, err := range pages {
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if err != nil {
				yield(*new(T), err)
			}
		}
	}
}

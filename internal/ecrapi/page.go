package ecrapi

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"sync"
)

// errRepeatedToken says that a listing does not come to its end.
var errRepeatedToken = errors.New("the listing is cut short: ECR repeats a page token")

// A page is one answer of a paged operation.
type page[T any] struct {
	items []T
	// refused says why the item after the last of them cannot be taken.
	refused error
	// next is empty on the last page.
	next string
}

// A listing fetches the page of a token, the first one for nil.
type listing[T any] func(token *string) (page[T], error)

// converted returns the items of a page up to the first that convert refuses.
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

// unique returns the pages of a listing with each item once. Pages may overlap when
// items are added or removed while they are fetched, and an image that counted twice
// would push another one out of a rule's count. The first error, named after the
// operation, ends the sequence. An item that is refused is an error. So is a token that
// returns to an earlier page, and an item that is listed again with other content.
func (l listing[T]) unique(operation string, key func(*T) string, content func(*T) uint64) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		seen := sets.Get().(map[string]uint64)
		defer func() {
			if len(seen) <= maxResults { // most listings have one page
				clear(seen)
				sets.Put(seen)
			}
		}()
		for p, err := range l.pages {
			fresh, changed := unseen(p.items, key, content, seen)
			if len(fresh) > 0 && !yield(fresh, nil) {
				return
			}
			if err = cmp.Or(changed, err); err != nil {
				yield(nil, fmt.Errorf("%s: %w", operation, err))
				return
			}
		}
	}
}

// sets are the sets of keys of a listing, with a hash of each item's content.
var sets = sync.Pool{New: func() any { return make(map[string]uint64, maxResults) }}

// unseen moves the items with new keys to the front, and returns them. The error says
// that an item was listed before with other content.
func unseen[T any](items []T, key func(*T) string, content func(*T) uint64, seen map[string]uint64) ([]T, error) {
	n := 0
	for i := range items {
		name, now := key(&items[i]), content(&items[i])
		before, known := seen[name]
		switch {
		case known && before != now:
			return items[:n], fmt.Errorf("%s is listed twice, and has changed in between; run again", name)
		case known:
			continue
		}
		seen[name] = now
		if n != i {
			items[n] = items[i]
		}
		n++
	}
	return items[:n], nil
}

// oneByOne returns the items of pages.
func oneByOne[T any](pages iter.Seq2[[]T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for items, err := range pages {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// pages are the pages of the listing. With an error comes what there is before
// it.
func (l listing[T]) pages(yield func(page[T], error) bool) {
	tokens := map[string]bool{}
	for token := (*string)(nil); ; {
		p, err := l(token)
		switch {
		case err != nil:
			yield(page[T]{}, err)
			return
		case tokens[p.next]:
			yield(page[T]{}, errRepeatedToken)
			return
		}
		if !yield(p, p.refused) || p.refused != nil || p.next == "" {
			return
		}
		tokens[p.next] = true
		token = &p.next
	}
}

package inuse

import (
	"errors"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Pages returns the items of a listing. Fetch returns the page for a token, and read
// returns the items of a page and the token of the next. The first error ends the
// sequence. A page without a list is an error, because an empty list is not nil. A
// repeated token is an error, because the listing would not end.
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
			if items == nil {
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

// List returns all items of a listing like [Pages], or the first error.
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

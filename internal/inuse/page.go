package inuse

import (
	"errors"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// errRepeatedToken says that a listing does not come to its end.
var errRepeatedToken = errors.New("the listing is cut short: a page token is repeated")

// paged turns the pages of a listing into one sequence. The first error ends
// it; a token that leads back to a page is one.
func paged[T any](fetch func(token *string) ([]T, *string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		tokens := map[string]bool{}
		for token := (*string)(nil); ; {
			items, next, err := fetch(token)
			if err != nil {
				yield(none, err)
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
				yield(none, errRepeatedToken)
				return
			}
			tokens[*next] = true
			token = next
		}
	}
}

// listed returns all items of a listing, or the error that ended it.
func listed[T any](fetch func(token *string) ([]T, *string, error)) ([]T, error) {
	var all []T
	for item, err := range paged(fetch) {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

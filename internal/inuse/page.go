package inuse

import (
	"errors"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// errRepeatedToken says that a listing does not come to its end.
var errRepeatedToken = errors.New("the listing is cut short: a page token is repeated")

// errNoList says that an answer is not that of the service: a list that is empty is
// there.
var errNoList = errors.New("the answer has no list")

// paged turns the pages of a listing into one sequence. The first error ends
// it; a page without a list is one, and so is a token that leads back to a page.
func paged[T any](fetch func(token *string) ([]T, *string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		tokens := map[string]bool{}
		for token := (*string)(nil); ; {
			items, next, err := fetch(token)
			if err == nil && items == nil {
				err = errNoList
			}
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

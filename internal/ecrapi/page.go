package ecrapi

import (
	"errors"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// errRepeatedToken says that a listing does not come to its end.
var errRepeatedToken = errors.New("the listing is cut short: ECR repeats a page token")

// paged turns a paged operation into one sequence of converted items, each
// once: pages may overlap when items come and go while they are fetched, and
// an image that counted twice would push another one out of a rule's count.
// The first error, named after the operation, ends the sequence: an item that
// cannot be converted is one, and so is a token that leads back to a page.
func paged[In, Out any](operation string, fetch func(token *string) ([]In, *string, error), convert func(In) (Out, error), key func(Out) string) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		p := pages[In]{fetch: fetch, tokens: map[string]bool{}}
		seen := map[string]bool{}
		for item, err := range p.items {
			var out Out
			if err == nil {
				out, err = convert(item)
			}
			if err != nil {
				yield(out, fmt.Errorf("%s: %w", operation, err))
				return
			}
			if k := key(out); !seen[k] {
				seen[k] = true
				if !yield(out, nil) {
					return
				}
			}
		}
	}
}

// pages are the pages of one listing.
type pages[In any] struct {
	fetch  func(token *string) ([]In, *string, error)
	tokens map[string]bool
}

func (p pages[In]) items(yield func(In, error) bool) {
	for token := (*string)(nil); ; {
		items, next, err := p.fetch(token)
		if err == nil && p.tokens[aws.ToString(next)] {
			err = errRepeatedToken
		}
		if err != nil {
			var none In
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
		p.tokens[*next] = true
		token = next
	}
}

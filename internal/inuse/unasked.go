package inuse

import (
	"context"
	"fmt"
	"iter"
)

// Unasked is a source of that name that this version cannot ask. It always
// fails.
type Unasked string

// Name returns the name.
func (u Unasked) Name() string { return string(u) }

// Uses yields an error that says what to do.
func (u Unasked) Uses(context.Context) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		yield(Use{}, fmt.Errorf("this version cannot ask it; take %q out of protect.inUse, or name a list in protect.references instead", string(u)))
	}
}

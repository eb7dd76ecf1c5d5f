package resourcepolicy

import (
	"context"
	"sync"
)

// A Once reads a policy once. It is safe for concurrent use.
type Once struct {
	mu     sync.Mutex
	read   bool
	policy Policy
	err    error
}

// Get returns the policy that the first call reads, or its error. It reads again only if
// the context ended during the first call, or if the Once is nil.
func (o *Once) Get(ctx context.Context, read func(context.Context) (text string, err error)) (Policy, error) {
	if o == nil {
		o = &Once{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.read {
		text, err := read(ctx)
		o.policy, o.err = Parse(text), err
		o.read = err == nil || ctx.Err() == nil
	}
	return o.policy, o.err
}

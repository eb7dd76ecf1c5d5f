// Package pace bounds how many calls of an operation are under way at a time by
// what the service bears: a little more after every call that it carries out,
// half as many after one that it throttles.
//
// Nobody publishes the rates of Amazon ECR's calls, and they differ by operation
// and account, so that no fixed number is right.
package pace

import (
	"context"
	"sync"
)

// Limits are how many calls of one operation may be under way at a time.
type Limits struct {
	// Start is where an operation begins, and Most what it never exceeds. Both
	// are at least 1.
	Start, Most int
}

// An End is how a call ended, as far as it says something about the rate of calls.
type End int

const (
	// Unknown is no answer: no call was made, no answer came, or that of a server
	// at fault.
	Unknown End = iota
	// Carried is carried out: the service did what was asked, or refused it for another reason
	// than the rate.
	Carried
	// Throttled is refused because there were too many calls.
	Throttled
)

// A Pace has a limit for each operation. It is safe for concurrent use.
type Pace struct {
	limits Limits
	mu     sync.Mutex
	gates  map[string]*gate
}

// New returns a pace at which no operation was called yet.
func New(limits Limits) *Pace { return &Pace{limits: limits, gates: map[string]*gate{}} }

// Enter waits until another call of the operation may begin, first come, first
// served. What it returns must be called once, when the call has ended, and told
// how. An error is that of the context.
func (p *Pace) Enter(ctx context.Context, operation string) (leave func(End), err error) {
	p.mu.Lock()
	g, known := p.gates[operation]
	if !known {
		g = &gate{limit: float64(min(p.limits.Start, p.limits.Most)), most: float64(p.limits.Most)}
		p.gates[operation] = g
	}
	p.mu.Unlock()
	epoch, err := g.enter(ctx)
	if err != nil {
		return nil, err
	}
	return func(end End) { g.leave(end, epoch) }, nil
}

// A gate is the limit of one operation.
type gate struct {
	mu          sync.Mutex
	limit, most float64
	underWay    int
	waiting     []chan struct{}
	// epoch counts the times that the limit was halved.
	epoch int
}

func (g *gate) enter(ctx context.Context) (epoch int, err error) {
	g.mu.Lock()
	if g.underWay < int(g.limit) {
		defer g.mu.Unlock()
		g.underWay++
		return g.epoch, nil
	}
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.epoch, nil
	case <-ctx.Done():
		g.giveUp(turn)
		return 0, ctx.Err()
	}
}

// giveUp takes back the turn of one that waits no longer, and passes it on if it
// has come meanwhile.
func (g *gate) giveUp(turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, waiting := range g.waiting {
		if waiting == turn {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return
		}
	}
	g.underWay--
	g.admit()
}

// leave moves the limit. Of the calls that were under way together the first
// that is throttled halves it, not each: they all met the same limit.
func (g *gate) leave(end End, epoch int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underWay--
	switch {
	case end == Carried:
		g.limit = min(g.limit+1/g.limit, g.most)
	case end == Throttled && epoch == g.epoch:
		g.limit = max(g.limit/2, 1)
		g.epoch++
	}
	g.admit()
}

// admit lets in those that wait, as far as the limit goes.
func (g *gate) admit() {
	for len(g.waiting) > 0 && g.underWay < int(g.limit) {
		close(g.waiting[0])
		g.waiting = g.waiting[1:]
		g.underWay++
	}
}

// Package pace limits the concurrent calls of each operation of a service, whose rates AWS
// does not publish. A limit rises a little with every call that the service carries out,
// and is halved when the service throttles a call.
package pace

import (
	"context"
	"slices"
	"sync"
)

// Limits are numbers of concurrent calls of one operation, at least 1. Start is the first
// limit of an operation, and Most the highest.
type Limits struct{ Start, Most int }

// An End is the end of a call, as far as it shows something about the rate of calls.
type End int

// The ends of calls.
const (
	Unknown   End = iota // there was no call, no answer, or a server fault
	Carried              // the service carried out the call, or refused it for another reason than the rate
	Throttled            // the service refused the call because of too many calls
)

// A Pace has a limit for each operation. It is safe for concurrent use.
type Pace struct {
	limits Limits
	mu     sync.Mutex
	gates  map[string]*gate
}

// New returns a pace without calls so far.
func New(limits Limits) *Pace { return &Pace{limits: limits, gates: map[string]*gate{}} }

// Enter waits until the next call of the operation may begin, in the order of arrival. The
// caller must call leave once, at its end. The error is that of the context.
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
	epoch       int // the number of times that the limit was halved
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

// giveUp withdraws a waiting call. If the call was admitted meanwhile, giveUp ends it.
func (g *gate) giveUp(turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, turn); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		return
	}
	g.underWay--
	g.admit()
}

// leave changes the limit. Only the first throttled call of an epoch halves it, because
// all calls that were under way had the same limit.
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

// admit lets waiting calls begin, up to the limit.
func (g *gate) admit() {
	for len(g.waiting) > 0 && g.underWay < int(g.limit) {
		close(g.waiting[0])
		g.waiting = g.waiting[1:]
		g.underWay++
	}
}

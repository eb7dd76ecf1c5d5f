package cleaner

import (
	"fmt"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A budget is what a run may still remove: at most maxDeletions of the
// configuration, an entry's own maxDeletions for its repositories, and what
// the request allows for everything together.
type budget struct {
	mu      sync.Mutex
	run     *int
	general int
	entries map[*config.Entry]int
}

func newBudget(c config.Config) *budget {
	b := &budget{general: c.Limits.MaxDeletions, entries: map[*config.Entry]int{}}
	if c.MaxDeletions != nil {
		run := *c.MaxDeletions
		b.run = &run
	}
	for i := range c.Policies {
		if c.Policies[i].OwnBudget {
			b.entries[&c.Policies[i]] = c.Policies[i].Limits.MaxDeletions
		}
	}
	return b
}

// grant takes what the plan removes from the budget, or skips the plan.
func (b *budget) grant(p *plan.Plan) {
	if p.Skip != nil || p.Entry == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	removals := p.Removals()
	left := b.general
	own, hasOwn := b.entries[p.Entry]
	if hasOwn {
		left = own
	}
	if b.run != nil {
		left = min(left, *b.run)
	}
	if removals > left {
		p.Skip = &plan.Skip{Code: plan.SkipLimit, Message: fmt.Sprintf("%d images would go, %d are left of the run's maxDeletions", removals, left)}
		return
	}
	if b.run != nil {
		*b.run -= removals
	}
	if hasOwn {
		b.entries[p.Entry] = own - removals
	} else {
		b.general -= removals
	}
}

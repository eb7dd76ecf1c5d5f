package cleaner

import (
	"fmt"
)

// removals is the number of images that the plan would remove. Protected
// images do not count, nor do those of a saved plan that are to be left alone.
func (p *RepositoryPlan) removals() int {
	n := 0
	for i := range p.Images {
		if p.Images[i].open() {
			n++
		}
	}
	return n
}

// limit skips the plan as a whole when it exceeds a limit of its repository.
func (p *RepositoryPlan) limit() {
	if p.Skip != nil || p.Entry == nil {
		return
	}
	removals, limits := p.removals(), p.Entry.Limits
	switch {
	case removals > limits.MaxDeletionsPerRepository:
		p.Skip = &Skip{SkipLimit, fmt.Sprintf("%d of %d images would go, maxDeletionsPerRepository is %d",
			removals, p.Listed, limits.MaxDeletionsPerRepository)}
	case removals*100 > limits.MaxDeletedPercent*p.Listed:
		p.Skip = &Skip{SkipLimit, fmt.Sprintf("%d of %d images would go, maxDeletedPercent is %d",
			removals, p.Listed, limits.MaxDeletedPercent)}
	}
}

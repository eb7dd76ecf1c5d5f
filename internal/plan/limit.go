package plan

import (
	"fmt"
)

// Removals is the number of images that the plan would remove. Protected
// images do not count, nor do those of a saved plan that are to be left alone.
func (p *Plan) Removals() int {
	n := 0
	for i := range p.Images {
		if p.Images[i].Open() {
			n++
		}
	}
	return n
}

// ApplyLimits skips the plan as a whole when it exceeds a limit of its repository.
func (p *Plan) ApplyLimits() {
	if p.Skip != nil || p.Entry == nil {
		return
	}
	removals, limits := p.Removals(), p.Entry.Limits
	switch {
	case removals > limits.MaxDeletionsPerRepository:
		p.Skip = &Skip{SkipLimit, fmt.Sprintf("%d of %d images would go, maxDeletionsPerRepository is %d",
			removals, p.Listed, limits.MaxDeletionsPerRepository)}
	case removals*100 > limits.MaxDeletedPercent*p.Listed:
		p.Skip = &Skip{SkipLimit, fmt.Sprintf("%d of %d images would go, maxDeletedPercent is %d",
			removals, p.Listed, limits.MaxDeletedPercent)}
	}
}

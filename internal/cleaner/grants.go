package cleaner

import (
	"fmt"
	"math"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// grants are the parts of the run's limits that no plan has got yet.
type grants struct {
	run     int                    // maxDeletions of the request, for all repositories together
	general int                    // maxDeletions of the configuration
	entries map[*config.Entry]*int // maxDeletions of entries, which replace general there
	own     []*int                 // those of entries, in their order
	capped  bool                   // by the request
	details int                    // bytes of images that fit into the report
}

func (r *Runner) newGrants() *grants {
	limits := r.Config.Limits
	g := &grants{run: math.MaxInt, general: limits.MaxDeletions, entries: map[*config.Entry]*int{}, details: math.MaxInt}
	if r.Config.MaxDeletions != nil {
		g.run, g.capped = *r.Config.MaxDeletions, true
	}
	if r.MaxDetails > 0 {
		g.details = r.MaxDetails
	}
	for i := range r.Config.Policies {
		if entry := &r.Config.Policies[i]; entry.OwnBudget {
			g.entries[entry] = new(entry.Limits.MaxDeletions)
			g.own = append(g.own, g.entries[entry])
		}
	}
	return g
}

// budgets returns what is left, as [config.Continuation] has it. The last one is that of the
// request, if it has one.
func (g *grants) budgets() []*int {
	budgets := append([]*int{&g.general}, g.own...)
	if g.capped {
		budgets = append(budgets, &g.run)
	}
	return budgets
}

// A grant is a part of a budget for one plan.
type grant struct {
	budget   *int
	removals int
}

// limitTo reduces the budgets to those that the run before left.
func (g *grants) limitTo(c *config.Continuation) {
	if c == nil || c.Round == 0 {
		return
	}
	for i, budget := range g.budgets() {
		*budget = min(*budget, c.Left[i])
	}
}

// giveBack returns the part of a grant that was not used.
func (g *grants) giveBack(unused grant) {
	if unused.budget != nil {
		*unused.budget += unused.removals
		g.run += unused.removals
	}
}

// grantRemovals takes the removals of the plan from maxDeletions, or skips the plan.
func (g *grants) grantRemovals(p *plan.Plan) grant {
	if p.Skip != nil || p.Entry == nil {
		return grant{}
	}
	entry, found := g.entries[p.Entry]
	if !found {
		entry = &g.general
	}
	removals, left := p.Removals(), min(*entry, g.run)
	if removals > left {
		p.Skip = &plan.Skip{Code: plan.SkipLimit, Message: fmt.Sprintf(
			"%s would be removed, and the run's maxDeletions allows %d more", words.Count(removals, "image", "images"), left)}
		return grant{}
	}
	g.run -= removals
	*entry -= removals
	return grant{entry, removals}
}

// grantDetails reports whether the images of the plan fit into the report.
func (g *grants) grantDetails(p *plan.Plan) bool {
	const imageBytes = 400 // about the length of an image in JSON
	size := imageBytes * len(p.Images)
	if size > g.details {
		return false
	}
	g.details -= size
	return true
}

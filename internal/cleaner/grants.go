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
	details int                    // bytes of images that fit into the report
}

func (r *Runner) newGrants() *grants {
	limits := r.Config.Limits
	g := &grants{run: math.MaxInt, general: limits.MaxDeletions, entries: map[*config.Entry]*int{}, details: math.MaxInt}
	if r.Config.MaxDeletions != nil {
		g.run = *r.Config.MaxDeletions
	}
	if r.MaxDetails > 0 {
		g.details = r.MaxDetails
	}
	for i := range r.Config.Policies {
		if entry := &r.Config.Policies[i]; entry.OwnBudget {
			g.entries[entry] = new(entry.Limits.MaxDeletions)
		}
	}
	return g
}

// grantRemovals takes the removals of the plan from maxDeletions, or skips the plan.
func (g *grants) grantRemovals(p *plan.Plan) {
	if p.Skip != nil || p.Entry == nil {
		return
	}
	entry, found := g.entries[p.Entry]
	if !found {
		entry = &g.general
	}
	removals, left := p.Removals(), min(*entry, g.run)
	if removals > left {
		p.Skip = &plan.Skip{Code: plan.SkipLimit, Message: fmt.Sprintf(
			"%s would be removed, and the run's maxDeletions allows %d more", words.Count(removals, "image", "images"), left)}
		return
	}
	g.run -= removals
	*entry -= removals
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

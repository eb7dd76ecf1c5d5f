package cleaner

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// workThrough handles the repositories and reports on them in the order of the
// list.
//
// A bounded number is planned at a time. What is granted to a plan, of the
// budget and of the details, is granted in the order in which they begin,
// whichever plan is ready first: each waits for the turn that its predecessor
// passes on. While it waits, and while it is applied, the next ones are planned,
// as far ahead as there is room. The first of those in flight never waits for
// another.
func (r *Runner) workThrough(ctx context.Context, repositories []plan.Repository, rep *report.Report) {
	reports := make([]report.Repository, len(repositories))
	grants := grants{budget: newBudget(r.Config), bounded: r.MaxDetails > 0, details: r.MaxDetails}
	planning, applying := make(chan struct{}, r.Workers), make(chan struct{}, r.Workers)
	room, replanning := newMemory(), make(chan struct{}, maxReplans)
	turn := make(chan struct{})
	close(turn)
	var omitted atomic.Int64
	var wg sync.WaitGroup
	for _, i := range r.startOrder(repositories) {
		repository := repositories[i]
		planning <- struct{}{}
		tenant := room.reserve()
		mine, next := turn, make(chan struct{})
		turn = next
		wg.Go(func() {
			defer tenant.release()
			p := r.planGuarded(ctx, repository, tenant.add)
			p.ApplyLimits()
			tenant.shrinkTo(len(p.Images))
			<-planning
			<-mine
			detailed := grants.grant(&p)
			close(next)
			applying <- struct{}{}
			r.applyGuarded(ctx, &p, func(before *plan.Plan) plan.Plan {
				replanning <- struct{}{}
				defer func() { <-replanning }()
				return r.plan(ctx, repository, nil, before)
			})
			reports[i] = r.reportOn(ctx, &p, detailed)
			<-applying
			if !detailed {
				omitted.Add(int64(len(p.Images)))
			}
		})
	}
	wg.Wait()
	for _, result := range reports {
		rep.Add(result)
	}
	if n := omitted.Load(); n > 0 {
		rep.Omissions().Images = int(n)
	}
}

// maxReplans is the number of repositories that are planned again at a time,
// for which there is no other bound to what is held.
const maxReplans = 2

// grants are what is granted to plans, one at a time.
type grants struct {
	budget *budget
	// details is how many bytes of images the report may still hold, if that is
	// bounded.
	bounded bool
	details int
}

// detailBytes is about the length of the JSON text of an image.
const detailBytes = 400

// grant grants the plan its part of the budget, and reports whether its images
// go into the report.
func (g *grants) grant(plan *plan.Plan) (detailed bool) {
	g.budget.grant(plan)
	size := detailBytes * len(plan.Images)
	if !g.bounded || size == 0 {
		return true
	}
	detailed = size <= g.details
	if detailed {
		g.details -= size
	}
	return detailed
}

package cleaner

import (
	"context"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// maxReplans is the number of repositories that are planned again at a time. They have no
// reservation.
const maxReplans = 2

// workThrough handles the repositories and adds them to the report in the order of the
// list. It returns the sum of the plans' KeptByOwnPulls.
//
// Plans get their grants in the order in which the repositories start, whichever plan is
// ready first: each plan waits for its turn, which the plan before it passes on. Meanwhile
// other repositories are planned, as far as the memory allows. The first repository in
// progress waits for no other.
func (r *Runner) workThrough(ctx context.Context, all []plan.Repository, result *report.Report) (keptByOwnPulls int) {
	handled := make([]handledRepository, len(all))
	r.Progress.Begin(len(all))
	planning, applying := make(chan struct{}, r.Workers), make(chan struct{}, r.Workers)
	replanning := make(chan struct{}, maxReplans)
	memory, grants := newMemory(), r.newGrants()
	turn := make(chan struct{})
	close(turn)
	var wg sync.WaitGroup
	for _, i := range r.startOrder(all) {
		repository := all[i]
		planning <- struct{}{}
		reservation := memory.reserve()
		mine, next := turn, make(chan struct{})
		turn = next
		wg.Go(func() {
			defer reservation.release()
			p := r.planGuarded(ctx, repository, reservation.add)
			p.ApplyLimits()
			reservation.shrinkTo(len(p.Images))
			<-planning
			<-mine
			grants.grantRemovals(&p)
			detailed := grants.grantDetails(&p)
			close(next)
			applying <- struct{}{}
			r.applyGuarded(ctx, &p, func(before *plan.Plan) plan.Plan {
				replanning <- struct{}{}
				defer func() { <-replanning }()
				return r.plan(ctx, repository, nil, before)
			})
			handled[i] = handledRepository{r.reportOn(ctx, &p, detailed), len(p.Images), p.KeptByOwnPulls}
			r.Progress.Handled()
			<-applying
		})
	}
	wg.Wait()
	omitted := 0
	for _, h := range handled {
		result.Add(h.report)
		omitted += h.images - len(h.report.Images)
		keptByOwnPulls += h.keptByOwnPulls
	}
	if omitted > 0 {
		result.Omissions().Images = omitted
	}
	return keptByOwnPulls
}

// A handledRepository is the result for one repository. It counts all images of the plan.
type handledRepository struct {
	report                 report.Repository
	images, keptByOwnPulls int
}

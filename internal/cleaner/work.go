package cleaner

import (
	"context"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
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
func (r *Runner) workThrough(ctx context.Context, all []plan.Repository, settings *registrystate.Settings, result *report.Report,
) (keptByOwnPulls int) {
	results := make(ends, len(all))
	r.Progress.Begin(len(all))
	planning, applying := make(chan struct{}, r.Workers), make(chan struct{}, r.Workers)
	replanning := make(chan struct{}, maxReplans)
	memory, grants, ahead := newMemory(), r.newGrants(), newWindow(r.course)
	grants.limitTo(r.Continue)
	turn := make(chan struct{})
	close(turn)
	var wg sync.WaitGroup
	for n, i := range r.startOrder(all) {
		repository := all[i]
		ahead.begin(n)
		planning <- struct{}{}
		reservation := memory.reserve()
		mine, next := turn, make(chan struct{})
		turn = next
		wg.Go(func() {
			defer ahead.end(n)
			defer reservation.release()
			p := r.planGuarded(ctx, repository, reservation.add)
			p.ApplyLimits()
			reservation.shrinkTo(len(p.Images))
			<-planning
			<-mine
			granted := grants.grantRemovals(&p)
			detailed := grants.grantDetails(&p)
			close(next)
			applying <- struct{}{}
			r.applyGuarded(ctx, &p, func(before *plan.Plan) plan.Plan {
				replanning <- struct{}{}
				defer func() { <-replanning }()
				return r.plan(ctx, repository, nil, before)
			})
			results[i] = r.endOf(ctx, &p, granted, detailed)
			if removesFrom(&results[i].report, result.Mode) {
				settings.Begin(repository.Name)
			}
			r.Progress.Handled()
			<-applying
		})
	}
	wg.Wait()
	results.addTo(result, &keptByOwnPulls)
	r.setContinuation(result, all, results, grants)
	return keptByOwnPulls
}

// endOf reports on a plan. If the run's end interrupted it, the report has only the part that
// the next run does not see again.
func (r *Runner) endOf(ctx context.Context, p *plan.Plan, granted grant, detailed bool) (e end) {
	e.handled, e.reported = r.handledIn(ctx, p), true
	if !e.handled {
		report.KeepPart(p)
		e.reported = len(p.Images) > 0
		granted.removals -= len(p.Images)
		e.unused = granted
	}
	if e.reported {
		e.report = r.reportOn(ctx, p, detailed)
		e.report.Partial = !e.handled
		e.omitted, e.keptByOwnPulls = len(p.Images)-len(e.report.Images), p.KeptByOwnPulls
	}
	return e
}

// An end is how a run ends for one repository.
type end struct {
	handled                 bool // false if the next run must handle it
	reported                bool
	report                  report.Repository
	omitted, keptByOwnPulls int
	unused                  grant
}

type ends []end

func (all ends) addTo(result *report.Report, keptByOwnPulls *int) {
	omitted := 0
	for _, e := range all {
		if e.reported {
			result.Add(e.report)
		}
		omitted += e.omitted
		*keptByOwnPulls += e.keptByOwnPulls
	}
	if omitted > 0 {
		result.Omissions().Images = omitted
	}
}

// Package apply carries out the plan of one repository. It takes a plan and a [Remover],
// and writes an outcome into each image of the plan. It orders the calls, re-checks the
// images before each call, and retries calls. It decides nothing: it never adds an image.
package apply

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Options are the parts of an [Applier] that do not depend on the plan.
type Options struct {
	Remover Remover
	Log     *slog.Logger
	Pace    *pace.Pace       // limits the concurrent removing calls of a run; nil for no limit
	Clock   func() time.Time // the wall clock; nil for the machine's
	// CheckClock returns an error if the wall clock is wrong. Commit returns an error
	// unless all log lines so far are saved. After an error the Applier does not make
	// the call. Both can be nil.
	CheckClock, Commit func() error
}

// An Applier removes images of one repository. The maps have digests as keys.
type Applier struct {
	ctx          context.Context
	plan         *plan.Plan
	options      Options
	log          *slog.Logger
	planned      map[string]*plan.Image
	unread       []*plan.Image // planned indexes without a read manifest
	logged       map[string]bool
	descriptions map[string]description
	unanswered   map[string]string // reasons why the effect of a call is unknown
	archived     map[string]bool   // images that another program has archived
	calls        int               // removing calls
	throttled    int               // the last of them, throttled in a row
}

// NewApplier returns an Applier of the plan. When ctx is done, the Applier completes the
// current call and makes no other.
func NewApplier(ctx context.Context, p *plan.Plan, options Options) *Applier {
	if options.Commit == nil {
		options.Commit = func() error { return nil }
	}
	if options.CheckClock == nil {
		options.CheckClock = func() error { return nil }
	}
	if p.Attempts == nil {
		p.Attempts = map[string]int{}
	}
	a := &Applier{
		ctx: ctx, plan: p, options: options, log: Logger(options.Log, p), planned: map[string]*plan.Image{},
		logged: map[string]bool{}, descriptions: map[string]description{}, unanswered: map[string]string{}, archived: map[string]bool{},
	}
	a.indexPlan()
	return a
}

// PlanChanged makes the Applier continue with its plan after the caller has changed it.
// Images that the plan keeps now, and for which a call had no answer, get an outcome.
func (a *Applier) PlanChanged() {
	a.indexPlan()
	for i := range a.plan.Images {
		if im := &a.plan.Images[i]; !im.Open() {
			a.settleUnanswered(im)
		}
	}
}

func (a *Applier) indexPlan() {
	clear(a.planned)
	a.unread = nil
	for i := range a.plan.Images {
		im := &a.plan.Images[i]
		a.planned[im.Digest] = im
		if im.Unread && !im.Protected() {
			a.unread = append(a.unread, im)
		}
	}
}

// Calls returns the number of removing calls so far.
func (a *Applier) Calls() int { return a.calls }

// Fail gives all images that are still to be removed the outcome Failed.
func (a *Applier) Fail(message string) { a.failAll(a.plan.Open(), message) }

// Apply removes the open images of the plan, unless the plan has a Skip. At the end it
// tries blocked images once more. It returns false if the plan or its in-use scan became
// too old.
func (a *Applier) Apply() bool {
	if a.plan.Skip != nil {
		return true
	}
	if done := a.removeAll(); !done || a.ctx.Err() != nil {
		return done
	}
	for i := range a.plan.Images {
		if im := &a.plan.Images[i]; im.Outcome == plan.Blocked {
			im.Settle("", "")
		}
	}
	return a.removeAll()
}

func (a *Applier) removeAll() bool {
	for _, batch := range batches(groups(a.plan.Images)) {
		if !a.remove(batch) {
			return false
		}
	}
	return true
}

// remove removes the images of a batch, turn by turn. Before each turn it describes all
// remaining images again, since the turn before changed the registry.
func (a *Applier) remove(batch group) bool {
	for len(batch) > 0 && a.ctx.Err() == nil {
		if !a.fresh() {
			return false
		}
		clear(a.descriptions)
		a.recheck(batch.images())
		n := slices.IndexFunc(batch, func(s step) bool { return s.turn != batch[0].turn })
		if n < 0 {
			n = len(batch)
		}
		a.removeTurn(batch[:n])
		if len(openOf(batch[:n].images())) > 0 && !a.fresh() {
			return false
		}
		batch = batch[n:]
	}
	return true
}

func (a *Applier) fresh() bool { return a.plan.Fresh(clock.Read(a.options.Clock)) }

// removeTurn removes images of one turn, at most MaxBatch.
func (a *Applier) removeTurn(steps group) {
	var deletions, transitions, untaggings []*plan.Image
	for _, s := range steps {
		switch {
		case s.Outcome != "" || a.blockedByParent(s.Image):
		case s.Archives():
			transitions = append(transitions, s.Image)
		case s.Action == evaluator.Untag:
			untaggings = append(untaggings, s.Image)
		case s.Deletes():
			deletions = append(deletions, s.Image)
		default:
			a.settle(s.Image, plan.Failed, "the program is faulty: it cannot carry out "+s.Action.String()+"; please report it")
		}
	}
	_ = a.attempt("BatchDeleteImage", deletions, a.deleteOnce) // each image has its outcome
	for n := 0; len(untaggings) > 0; untaggings = untaggings[n:] {
		n = fitsOneCall(untaggings)
		_ = a.attempt("BatchDeleteImage", untaggings[:n], a.untagOnce)
	}
	a.archive(transitions)
}

// blockedByParent settles an image as Blocked, and returns true, if it belongs or may
// belong to an image that was not removed.
func (a *Applier) blockedByParent(im *plan.Image) bool {
	for _, digest := range im.Parents {
		parent, planned := a.planned[digest]
		inArchive := im.Archives() && a.archived[digest]
		if !planned || !im.RemovedFor(parent.Outcome) && !inArchive {
			a.settle(im, plan.Blocked, "it belongs to "+digest+", which was not removed")
			return true
		}
	}
	if !im.Deletes() || im.Unread {
		return false
	}
	for _, index := range a.unread {
		if !im.RemovedFor(index.Outcome) && graph.MayList(&index.Image, &im.Image) && !slices.Contains(index.Above, im.Digest) {
			a.settle(im, plan.Blocked, "it may belong to "+index.Digest+", which was not removed")
			return true
		}
	}
	return false
}

// Package apply carries out the plan of one repository. It takes a plan and a [Remover]
// and writes an outcome into each image of the plan. It orders the calls and describes
// the images again right before each of them. It makes a call again after throttling or
// when ECR did not answer. It decides nothing: it never adds an image to the plan.
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

// Apply carries out a plan with the default options. When ctx is done, Apply completes
// the current call, and the remaining images are NotAttempted.
func Apply(ctx context.Context, remover Remover, p *plan.Plan, log *slog.Logger) {
	a := NewApplier(ctx, p, Options{Remover: remover, Log: log})
	a.Apply() //nolint:contextcheck // a call under way outlives the context
	a.End()
}

// Options are the parts of an [Applier] that do not depend on the plan.
type Options struct {
	Remover Remover
	Log     *slog.Logger
	// Pace limits the concurrent removing calls of a run. Nil means no limit.
	Pace *pace.Pace
	// Clock is the wall clock. Nil means the machine's.
	Clock func() time.Time
	// CheckClock returns an error if the wall clock is wrong. Nil means no check.
	CheckClock func() error
	// Commit returns nil if all log lines written so far are saved. After an error
	// the Applier removes nothing. Nil means that lines are saved at once.
	Commit func() error
}

// An Applier removes images of one repository. The maps have digests as keys.
type Applier struct {
	ctx     context.Context
	plan    *plan.Plan
	options Options
	log     *slog.Logger
	planned map[string]*plan.Image
	// unread are the planned indexes whose manifests were not read.
	unread       []*plan.Image
	logged       map[string]bool
	descriptions map[string]description
	// unanswered has the reason why the effect of a call on an image is unknown.
	unanswered map[string]string
	// archived has the images that another program has moved to the archive class.
	archived map[string]bool
	// calls counts the removing calls, throttled the last ones that ECR throttled in
	// a row.
	calls, throttled int
}

// NewApplier returns an Applier of the plan. Its calls end soon after ctx does.
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
// It settles the images that the new plan keeps if a call for them had no answer. A
// later plan may not contain them.
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

// Apply removes the open images of the plan. It tries images that ECR refuses as
// referenced once more at the end. It returns false if it stopped early because the plan
// or its in-use scan was too old. It does nothing if the plan has a Skip.
func (a *Applier) Apply() bool {
	if a.plan.Skip != nil {
		return true
	}
	if !a.removeAll() {
		return false
	}
	return a.ctx.Err() != nil || !a.reopenBlocked() || a.removeAll()
}

// removeAll removes the open images. Its result is that of Apply.
func (a *Applier) removeAll() bool {
	for _, batch := range batches(groups(a.plan.Images)) {
		if !a.remove(batch) {
			return false
		}
	}
	return true
}

// reopenBlocked opens the blocked images again and reports whether there are any.
func (a *Applier) reopenBlocked() bool {
	reopened := false
	for i := range a.plan.Images {
		if im := &a.plan.Images[i]; im.Outcome == plan.Blocked {
			im.Settle("", "")
			reopened = true
		}
	}
	return reopened
}

// remove removes the images of a batch, turn by turn. Before each turn it describes all
// remaining images again, since the turn before took time and changed the registry. Its
// result is that of Apply.
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

// fresh reports whether the plan and its in-use scan are young enough for a removing call.
func (a *Applier) fresh() bool { return a.plan.Fresh(clock.Read(a.options.Clock)) }

// removeTurn removes images of one turn, at most MaxBatch, that were just re-checked.
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
	for chunk := range chunksOfTags(untaggings) {
		_ = a.attempt("BatchDeleteImage", chunk, a.untagOnce)
	}
	a.archive(transitions)
}

// blockedByParent settles an image as Blocked if it belongs, or may belong, to an image
// that was not removed. It reports whether it did.
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

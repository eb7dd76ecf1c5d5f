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

// Apply carries out a plan: it removes the images that are not protected and
// notes in each what became of it. Indexes go first, then what belongs to
// them, then the rest, and no image before all that it belongs to. Right before
// they are removed the images are described again, and one that is not as it
// was when the plan was made is left alone. What ECR refuses as referenced is
// tried once more at the end. A plan with a Skip does nothing. No failure stops
// the rest. When ctx is done, the call under way is seen to its end, and what
// is left is not attempted.
func Apply(ctx context.Context, remover Remover, plan *plan.Plan, log *slog.Logger) {
	a := NewApplier(ctx, plan, Options{Remover: remover, Log: log})
	a.Apply() //nolint:contextcheck // a call under way outlives the context
	a.End()
}

// Options are what an [Applier] needs besides a plan.
type Options struct {
	Remover Remover
	Log     *slog.Logger
	// Pace bounds the removing calls of a run that are under way at a time. Nil does
	// not.
	Pace *pace.Pace
	// Clock is the wall clock. Nil means the machine's.
	Clock func() time.Time
	// CheckClock returns an error when the wall clock is wrong. Optional.
	CheckClock func() error
	// Commit returns nil once all log lines written so far are saved. After an error
	// nothing is removed. Optional.
	Commit func() error
}

// An Applier removes images of one repository.
type Applier struct {
	ctx  context.Context
	plan *plan.Plan
	Options
	log     *slog.Logger
	planned map[string]*plan.Image
	// unread are the planned images that may list others.
	unread       []*plan.Image
	logged       map[string]bool
	descriptions map[string]description
	// unanswered says of images why it is not known what a call did to them, by
	// digest.
	unanswered map[string]string
	// archived are the images that somebody else has moved to the archive class,
	// by digest.
	archived map[string]bool
	// calls counts the removing calls. Throttled counts the last of them that were
	// throttled in a row.
	calls, throttled int
}

// NewApplier returns an Applier of the plan. Its calls end soon after ctx does.
func NewApplier(ctx context.Context, p *plan.Plan, options Options) *Applier {
	a := &Applier{
		ctx: ctx, plan: p, Options: options, log: Log(p, options.Log), planned: map[string]*plan.Image{},
		logged: map[string]bool{}, descriptions: map[string]description{}, unanswered: map[string]string{}, archived: map[string]bool{},
	}
	if a.Commit == nil {
		a.Commit = func() error { return nil }
	}
	if a.CheckClock == nil {
		a.CheckClock = func() error { return nil }
	}
	if p.Attempts == nil {
		p.Attempts = map[string]int{}
	}
	a.index()
	return a
}

// Replanned makes the Applier continue with its plan after the plan has changed.
func (a *Applier) Replanned() {
	a.index()
	a.settleUnanswered()
}

// Calls is the number of removing calls so far.
func (a *Applier) Calls() int { return a.calls }

// Fail gives all images that are still to be removed the outcome Failed.
func (a *Applier) Fail(message string) { a.failAll(a.plan.Open(), message) }

// index takes note of what is planned.
func (a *Applier) index() {
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

// fresh reports whether the plan, and the in-use scan on which it relies, are young
// enough for a removing call.
func (a *Applier) fresh() bool { return a.plan.Fresh(clock.Read(a.Clock)) }

// Apply removes the images that are open. It returns false if it stopped early because
// the plan had become too old.
func (a *Applier) Apply() bool {
	if a.plan.Skip != nil {
		return true
	}
	if !a.removeAll() {
		return false
	}
	if a.ctx.Err() != nil || !a.reopenBlocked() {
		return true
	}
	return a.removeAll()
}

// removeAll removes the images that are open. It returns false if it stopped early, as
// apply does.
func (a *Applier) removeAll() bool {
	for _, steps := range batches(groups(a.plan.Images)) {
		if !a.remove(steps) {
			return false
		}
	}
	return true
}

// reopenBlocked opens what was refused for a second try and reports whether
// there is any.
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
// remaining images again, since the turn before took time and changed the registry. It
// returns false if it stopped early, as apply does.
func (a *Applier) remove(steps []step) bool {
	for len(steps) > 0 && a.ctx.Err() == nil {
		if !a.fresh() {
			return false
		}
		clear(a.descriptions)
		a.recheck(group(steps).images())
		n := slices.IndexFunc(steps, func(s step) bool { return s.turn != steps[0].turn })
		if n < 0 {
			n = len(steps)
		}
		a.removeTurn(steps[:n])
		if len(openOf(group(steps[:n]).images())) > 0 && !a.fresh() {
			return false
		}
		steps = steps[n:]
	}
	return true
}

// removeTurn removes images of one turn, at most MaxBatch, that were just re-checked.
func (a *Applier) removeTurn(steps []step) {
	var deletions, transitions, untaggings []*plan.Image
	for _, s := range steps {
		switch {
		case s.Outcome != "" || a.blockedBy(s.Image):
		case s.Archives():
			transitions = append(transitions, s.Image)
		case s.Action == evaluator.Untag:
			untaggings = append(untaggings, s.Image)
		case s.Deletes():
			deletions = append(deletions, s.Image)
		default:
			a.settle(s.Image, plan.Failed, "do not know how to carry out "+s.Action.String())
		}
	}
	a.delete(deletions)
	for chunk := range chunksOfTags(untaggings) {
		a.untag(chunk)
	}
	a.archive(transitions)
}

// blockedBy settles an image that belongs to one that was not removed, and reports
// whether it has to stay for that.
func (a *Applier) blockedBy(im *plan.Image) bool {
	for _, digest := range im.Parents {
		parent, planned := a.planned[digest]
		along := im.Archives() && a.archived[digest]
		if !planned || !im.RemovedFor(parent.Outcome) && !along {
			a.settle(im, plan.Blocked, "it belongs to "+digest+", which stays")
			return true
		}
	}
	return im.Deletes() && !im.Unread && a.blockedByUnread(im)
}

// blockedByUnread is waits for the indexes that may list the image, for all that
// is known.
func (a *Applier) blockedByUnread(im *plan.Image) bool {
	for _, index := range a.unread {
		if !im.RemovedFor(index.Outcome) && graph.MayList(&index.Image, &im.Image) && !slices.Contains(index.Above, im.Digest) {
			a.settle(im, plan.Blocked, "it may belong to "+index.Digest+", which stays")
			return true
		}
	}
	return false
}

package cleaner

import (
	"context"
	"log/slog"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

// Outcome is what became of a planned image.
type Outcome string

// The outcomes. Failed and NotAttempted mean that something is left to do; the
// others are what is to be expected of a registry in use.
const (
	Deleted Outcome = "deleted"
	// MovedToArchive: the image is in the archive class now.
	MovedToArchive Outcome = "archived"
	// Untagged: the image has lost the tags that were to be removed.
	Untagged Outcome = "untagged"
	// Blocked: the image belongs to one that was not removed, or ECR refused
	// because an index references it or its storage class cannot be changed.
	Blocked Outcome = "blocked"
	// Changed: the image is not as it was when the plan was made, and was left
	// alone.
	Changed Outcome = "changed"
	// Gone: the image was not there any more.
	Gone   Outcome = "gone"
	Failed Outcome = "failed"
	// NotAttempted: the run was stopped before it came to the image.
	NotAttempted Outcome = "not attempted"
)

// Apply carries out a plan: it removes the images that are not protected and
// notes in each what became of it. Indexes go first, then what belongs to
// them, then the rest, and no image before all that it belongs to. Right before
// they are removed the images are described again, and one that is not as it
// was when the plan was made is left alone. What ECR refuses as referenced is
// tried once more at the end. A plan with a Skip does nothing. No failure stops
// the rest. When ctx is done, the call under way is seen to its end, and what
// is left is not attempted.
func Apply(ctx context.Context, remover Remover, plan *RepositoryPlan, log *slog.Logger) {
	a := newApplier(ctx, remover, plan, log)
	a.applyWhile(func() bool { return true }) //nolint:contextcheck // a call under way outlives the context
	a.end()
}

// An applier removes images of one repository.
type applier struct {
	ctx        context.Context
	remover    Remover
	repository string
	log        *slog.Logger
	plan       *RepositoryPlan
	planned    map[string]*PlannedImage
	// unread are the planned images that may list others.
	unread []*PlannedImage
	logged map[string]bool
	looks  map[string]look
	// attempts counts the removing calls that named an image, by digest.
	attempts map[string]int
	// unanswered says of images why it is not known what a call did to them, by
	// digest.
	unanswered map[string]string
	// archived are the images that somebody else has moved to the archive class,
	// by digest.
	archived map[string]bool
	// pace bounds the removing calls of a run that are under way at a time; nil
	// does not.
	pace *pace.Pace
}

func newApplier(ctx context.Context, remover Remover, plan *RepositoryPlan, log *slog.Logger) *applier {
	a := &applier{
		ctx: ctx, remover: remover, repository: plan.Repository, log: of(plan, log), plan: plan, planned: map[string]*PlannedImage{},
		logged: map[string]bool{}, looks: map[string]look{}, attempts: map[string]int{}, unanswered: map[string]string{}, archived: map[string]bool{},
	}
	a.index()
	return a
}

// index takes note of what is planned, anew when the plan has changed.
func (a *applier) index() {
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

// applyWhile removes what is open, until good, which is asked before each turn,
// says that the plan is not good enough any more. It reports whether it was to
// the end.
func (a *applier) applyWhile(good func() bool) bool {
	if a.plan.Skip != nil {
		return true
	}
	if !a.removeAll(good) {
		return false
	}
	if a.ctx.Err() != nil || !a.reopenBlocked() {
		return true
	}
	return a.removeAll(good)
}

// end notes that what is still open was not attempted, and logs the outcomes
// that are not in the log yet: these, those that were there before the first
// call, and what is blocked, which is final only now.
func (a *applier) end() {
	for i := range a.plan.Images {
		im := &a.plan.Images[i]
		switch why, silent := a.unanswered[im.Digest]; {
		case im.Outcome != "":
		case silent:
			im.settle(Failed, why)
		case a.plan.Skip != nil || im.Protected():
			a.logRefused(im)
		default:
			im.settle(NotAttempted, "the run was stopped before it")
		}
		a.logOutcome(im)
	}
}

func (im *PlannedImage) settle(o Outcome, message string) { im.Outcome, im.Message = o, message }

func settleAll(images []*PlannedImage, o Outcome, message string) {
	for _, im := range images {
		im.settle(o, message)
	}
}

// removeAll removes what is open and reports whether it came to its end.
func (a *applier) removeAll(good func() bool) bool {
	for _, steps := range batches(families(a.plan.Images)) {
		if !a.remove(steps, good) {
			return false
		}
	}
	return true
}

// reopenBlocked opens what was refused for a second try and reports whether
// there is any.
func (a *applier) reopenBlocked() bool {
	reopened := false
	for i := range a.plan.Images {
		if im := &a.plan.Images[i]; im.Outcome == Blocked {
			im.settle("", "")
			reopened = true
		}
	}
	return reopened
}

// remove re-checks the images of a batch and removes them, turn by turn. After
// a turn that took long it re-checks those that are left. It reports whether it
// came to its end.
func (a *applier) remove(steps []step, good func() bool) bool {
	for clear(a.looks); len(steps) > 0 && a.ctx.Err() == nil; {
		if !good() {
			return false
		}
		a.recheck(family(steps).images())
		n := slices.IndexFunc(steps, func(s step) bool { return s.turn != steps[0].turn })
		if n < 0 {
			n = len(steps)
		}
		a.take(steps[:n])
		steps = steps[n:]
	}
	return true
}

// take removes images of one turn, at most MaxBatch, that were just re-checked.
func (a *applier) take(steps []step) {
	var deletions, transitions, untaggings []*PlannedImage
	for _, s := range steps {
		switch {
		case s.Outcome != "" || a.waits(s.PlannedImage):
		case s.archives():
			transitions = append(transitions, s.PlannedImage)
		case s.Action == evaluator.Untag:
			untaggings = append(untaggings, s.PlannedImage)
		case s.deletes():
			deletions = append(deletions, s.PlannedImage)
		default:
			s.settle(Failed, "do not know how to carry out "+s.Action.String())
		}
	}
	a.delete(deletions)
	for chunk := range chunksOfTags(untaggings) {
		a.untag(chunk)
	}
	a.archive(transitions)
}

// waits settles an image that belongs to one that was not removed, and reports
// whether it has to stay for that.
func (a *applier) waits(im *PlannedImage) bool {
	for _, digest := range im.Parents {
		parent, planned := a.planned[digest]
		along := im.archives() && a.archived[digest]
		if !planned || !im.removedFor(parent.Outcome) && !along {
			im.settle(Blocked, "it belongs to "+digest+", which stays")
			return true
		}
	}
	return im.deletes() && !im.Unread && a.waitsForUnread(im)
}

// waitsForUnread is waits for the indexes that may list the image, for all that
// is known.
func (a *applier) waitsForUnread(im *PlannedImage) bool {
	for _, index := range a.unread {
		if !im.removedFor(index.Outcome) && graph.MayList(&index.Image, &im.Image) && !slices.Contains(index.Above, im.Digest) {
			im.settle(Blocked, "it may belong to "+index.Digest+", which stays")
			return true
		}
	}
	return false
}

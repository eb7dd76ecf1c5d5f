package cleaner

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// Outcome is what became of a planned image.
type Outcome string

// The outcomes. Only Failed is a failure; the others are what is to be
// expected of a registry in use.
const (
	Deleted Outcome = "deleted"
	// MovedToArchive: the image is in the archive class now.
	MovedToArchive Outcome = "archived"
	// Blocked: the image belongs to one that was not removed, or ECR refused
	// because an index references it or its storage class cannot be changed.
	Blocked Outcome = "blocked"
	// Changed: the image is not as it was when the plan was made, and was left
	// alone.
	Changed Outcome = "changed"
	// Gone: the image was not there any more.
	Gone   Outcome = "gone"
	Failed Outcome = "failed"
)

// Apply carries out a plan: it removes the images that are not protected and
// notes in each what became of it. Indexes go first, then what belongs to
// them, then the rest, and no image before all that it belongs to. Right before
// they are removed the images are described again, and one that is not as it
// was when the plan was made is left alone. What ECR refuses as referenced is
// tried once more at the end. A plan with a Skip does nothing. No failure stops
// the rest.
func Apply(ctx context.Context, remover Remover, plan *RepositoryPlan, log *slog.Logger) {
	if plan.Skip != nil {
		return
	}
	a := applier{ctx: ctx, remover: remover, repository: plan.Repository, log: log, planned: map[string]*PlannedImage{}}
	for i := range plan.Images {
		a.planned[plan.Images[i].Digest] = &plan.Images[i]
	}
	a.removeAll(plan.Images, false)
	if a.reopenBlocked(plan.Images) {
		a.removeAll(plan.Images, true)
	}
}

// An applier removes images of one repository.
type applier struct {
	ctx        context.Context
	remover    Remover
	repository string
	log        *slog.Logger
	planned    map[string]*PlannedImage
}

func (im *PlannedImage) settle(o Outcome, message string) { im.Outcome, im.Message = o, message }

func settleAll(images []*PlannedImage, o Outcome, message string) {
	for _, im := range images {
		im.settle(o, message)
	}
}

// removeAll removes what is open. What is blocked is in the log after the last
// try only.
func (a applier) removeAll(images []PlannedImage, last bool) {
	for _, b := range batches(families(images)) {
		a.remove(b)
		for _, s := range b.steps {
			if last || s.Outcome != Blocked {
				a.logOutcome(s.PlannedImage)
			}
		}
	}
}

// reopenBlocked opens what was refused for a second try and reports whether
// there is any.
func (a applier) reopenBlocked(images []PlannedImage) bool {
	reopened := false
	for i := range images {
		if images[i].Outcome == Blocked {
			images[i].settle("", "")
			reopened = true
		}
	}
	return reopened
}

// remove removes the images of a batch, turn by turn.
func (a applier) remove(b batch) {
	a.recheck(b)
	for steps := b.steps; len(steps) > 0; {
		now := steps
		if n := slices.IndexFunc(steps, func(s step) bool { return s.turn != steps[0].turn }); n > 0 {
			now = steps[:n]
		}
		steps = steps[len(now):]
		var deletions, transitions []*PlannedImage
		for _, s := range now {
			switch {
			case s.Outcome != "" || a.waits(s.PlannedImage):
			case s.Action == evaluator.Transition:
				transitions = append(transitions, s.PlannedImage)
			default:
				deletions = append(deletions, s.PlannedImage)
			}
		}
		for chunk := range slices.Chunk(deletions, MaxBatch) {
			a.delete(chunk)
		}
		a.archive(transitions)
	}
}

// waits settles an image that belongs to one that was not removed, and reports
// whether it has to stay for that.
func (a applier) waits(im *PlannedImage) bool {
	for _, digest := range im.Parents {
		parent, planned := a.planned[digest]
		if !planned || !removedFor(im.Action, parent.Outcome) {
			im.settle(Blocked, "it belongs to "+digest+", which stays")
			return true
		}
	}
	return false
}

// recheck settles those images of the batch that are not as planned any more.
func (a applier) recheck(b batch) {
	now, err := a.describe(slices.Sorted(maps.Keys(b.ids)))
	for _, s := range b.steps {
		current, found := now[s.Digest]
		switch {
		case err != nil:
			s.settle(Failed, "re-check: "+err.Error())
		case !found:
			s.settle(Gone, "not there any more")
		default:
			if difference := s.differs(current, now); difference != "" {
				s.settle(Changed, difference+" changed since the plan")
			}
		}
	}
}

// describe returns those of the images that are still there, by digest. None
// are when the repository is not.
func (a applier) describe(digests []string) (map[string]evaluator.Image, error) {
	byDigest := make(map[string]evaluator.Image, len(digests))
	for chunk := range slices.Chunk(digests, MaxBatch) {
		found, err := a.remover.Describe(a.ctx, a.repository, chunk)
		if err != nil && !errors.Is(err, ErrRepositoryNotFound) {
			return nil, err
		}
		for _, im := range found {
			byDigest[im.Digest] = im
		}
	}
	return byDigest, nil
}

// differs names the first thing in which the image is not as it was, or
// returns "". Of an index whose manifest this run has read the pulls of its
// children count, not its own: that may be ours.
func (im *PlannedImage) differs(current evaluator.Image, now map[string]evaluator.Image) string {
	if im.Children == nil {
		return differs(im.Image, current)
	}
	for _, child := range im.Children {
		there, found := now[child.Digest]
		if found && !there.LastRecordedPullTime.Equal(child.LastRecordedPullTime) {
			return "lastRecordedPullTime of its child " + child.Digest
		}
	}
	current.LastRecordedPullTime = im.LastRecordedPullTime
	return differs(im.Image, current)
}

// differs compares everything that a deletion depends on.
func differs(planned, current evaluator.Image) string {
	switch {
	case !slices.Equal(slices.Sorted(slices.Values(planned.Tags)), slices.Sorted(slices.Values(current.Tags))):
		return "imageTags"
	case planned.Status != current.Status:
		return "imageStatus"
	case !planned.LastRecordedPullTime.Equal(current.LastRecordedPullTime):
		return "lastRecordedPullTime"
	case !planned.EffectivePushTime().Equal(current.EffectivePushTime()):
		return "imagePushedAt"
	}
	return ""
}

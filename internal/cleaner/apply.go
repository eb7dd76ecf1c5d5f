package cleaner

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

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
	// Blocked: ECR refused because an index references the image, or because
	// its storage class cannot be changed.
	Blocked Outcome = "blocked"
	// Changed: tags, status, pull or push time are not those of the plan; the
	// image was left alone.
	Changed Outcome = "changed"
	// Gone: the image was not there any more.
	Gone   Outcome = "gone"
	Failed Outcome = "failed"
)

// Apply carries out a plan: it removes the images that are not protected and
// notes in each what became of it. Indexes are deleted first, then the other
// images, then images are archived, again indexes first. Right before each
// call its images are described again, and one that is not as it was when the
// plan was made is left alone. A plan with a Skip does nothing. No failure
// stops the rest.
func Apply(ctx context.Context, remover Remover, plan *RepositoryPlan, log *slog.Logger) {
	if plan.Skip != nil {
		return
	}
	a := applier{ctx, remover, plan.Repository, log}
	for _, group := range []struct {
		action  evaluator.Action
		indexes bool
		remove  func([]*PlannedImage)
	}{
		{evaluator.Expire, true, a.delete},
		{evaluator.Expire, false, a.delete},
		{evaluator.Transition, true, a.archive},
		{evaluator.Transition, false, a.archive},
	} {
		var images []*PlannedImage
		for i := range plan.Images {
			im := &plan.Images[i]
			if im.Action == group.action && isIndex(im.Image) == group.indexes && im.open() {
				images = append(images, im)
			}
		}
		for batch := range slices.Chunk(images, MaxBatch) {
			group.remove(a.recheck(batch))
			a.logOutcomes(batch)
		}
	}
}

// An applier removes images of one repository.
type applier struct {
	ctx        context.Context
	remover    Remover
	repository string
	log        *slog.Logger
}

func (im *PlannedImage) settle(o Outcome, message string) { im.Outcome, im.Message = o, message }

func settleAll(images []*PlannedImage, o Outcome, message string) {
	for _, im := range images {
		im.settle(o, message)
	}
}

// recheck returns those images of the batch that are still as planned.
func (a applier) recheck(batch []*PlannedImage) []*PlannedImage {
	now, err := a.describe(batch)
	if err != nil {
		settleAll(batch, Failed, "re-check: "+err.Error())
		return nil
	}
	var unchanged []*PlannedImage
	for _, im := range batch {
		current, found := now[im.Digest]
		switch difference := differs(im.Image, current); {
		case !found:
			im.settle(Gone, "not there any more")
		case difference != "":
			im.settle(Changed, difference+" changed since the plan")
		default:
			unchanged = append(unchanged, im)
		}
	}
	return unchanged
}

func (a applier) describe(images []*PlannedImage) (map[string]evaluator.Image, error) {
	if len(images) == 0 {
		return nil, nil
	}
	found, err := a.remover.Describe(a.ctx, a.repository, digests(images))
	if err != nil && !errors.Is(err, ErrRepositoryNotFound) {
		return nil, err
	}
	byDigest := make(map[string]evaluator.Image, len(found))
	for _, im := range found {
		byDigest[im.Digest] = im
	}
	return byDigest, nil
}

// differs names the first thing in which the image is not as it was, or
// returns "".
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

func (a applier) delete(batch []*PlannedImage) {
	if len(batch) == 0 {
		return
	}
	done, err := a.remover.Delete(a.ctx, a.repository, digests(batch))
	if errors.Is(err, ErrRepositoryNotFound) {
		settleAll(batch, Gone, "the repository is not there any more")
		return
	}
	byDigest := make(map[string]*PlannedImage, len(batch))
	for _, im := range batch {
		byDigest[im.Digest] = im
	}
	for _, digest := range done.Deleted {
		if im, ok := byDigest[digest]; ok {
			im.settle(Deleted, "")
		}
	}
	for _, f := range done.Failed {
		if im, ok := byDigest[f.Digest]; ok {
			im.settle(outcomeOf(f), f.Error())
		}
	}
	a.settleUnanswered(batch, err)
}

func outcomeOf(f Failure) Outcome {
	switch f.Code {
	case codeReferenced, codeNotArchivable:
		return Blocked
	case codeImageNotFound:
		return Gone
	}
	return Failed
}

// settleUnanswered asks what became of the images that the call neither
// confirmed nor refused: an answer can be lost after the work was done.
func (a applier) settleUnanswered(batch []*PlannedImage, cause error) {
	unanswered := slices.DeleteFunc(slices.Clone(batch), func(im *PlannedImage) bool { return im.Outcome != "" })
	if len(unanswered) == 0 {
		return
	}
	message := "neither confirmed nor refused by ECR"
	if cause != nil {
		message = cause.Error()
	}
	there, err := a.describe(unanswered)
	if err != nil {
		settleAll(unanswered, Failed, message+"; state unknown: "+err.Error())
		return
	}
	for _, im := range unanswered {
		if _, found := there[im.Digest]; found {
			im.settle(Failed, message)
		} else {
			im.settle(Deleted, "unconfirmed: "+message+", but not there any more")
		}
	}
}

func (a applier) archive(batch []*PlannedImage) {
	for _, im := range batch {
		err := a.remover.Archive(a.ctx, a.repository, im.Digest)
		failure, coded := errors.AsType[Failure](err)
		switch {
		case err == nil:
			im.settle(MovedToArchive, "")
		case coded:
			im.settle(outcomeOf(failure), failure.Error())
		default:
			im.settle(Failed, err.Error())
		}
	}
}

func digests(images []*PlannedImage) []string {
	list := make([]string, len(images))
	for i, im := range images {
		list[i] = im.Digest
	}
	return list
}

// logOutcomes writes one line for each image, so that what was removed can be
// read from the log alone.
func (a applier) logOutcomes(batch []*PlannedImage) {
	for _, im := range batch {
		level := slog.LevelInfo
		if im.Outcome == Failed {
			level = slog.LevelError
		}
		a.log.LogAttrs(a.ctx, level, "image",
			slog.String("repository", a.repository),
			slog.String("digest", im.Digest),
			slog.String("tags", strings.Join(im.Tags, " ")),
			slog.Time("pushed_at", im.PushedAt),
			slog.Int64("size_in_bytes", im.SizeInBytes),
			slog.String("verdict", string(im.Action)),
			slog.Int("rule_priority", im.Rule),
			slog.String("reason", im.Reason),
			slog.String("outcome", string(im.Outcome)),
			slog.String("message", im.Message))
	}
}

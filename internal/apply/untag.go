package apply

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// chunksOfTags yields the images so that those of a chunk lose at most MaxBatch
// tags together.
func chunksOfTags(images []*plan.Image) iter.Seq[[]*plan.Image] {
	return func(yield func([]*plan.Image) bool) {
		for len(images) > 0 {
			n, tags := 1, len(images[0].Untag)
			for n < len(images) && tags+len(images[n].Untag) <= plan.MaxBatch {
				tags += len(images[n].Untag)
				n++
			}
			if !yield(images[:n]) {
				return
			}
			images = images[n:]
		}
	}
}

func (a *Applier) untag(batch []*plan.Image) { _ = a.attempt("BatchDeleteImage", batch, a.untagOnce) } // each image has its outcome

func (a *Applier) untagOnce(ctx context.Context, batch []*plan.Image) error {
	var tags []string
	for _, im := range batch {
		tags = append(tags, im.Untag...)
	}
	done, err := a.Remover.Untag(ctx, a.plan.Repository, tags)
	if errors.Is(err, plan.ErrRepositoryNotFound) {
		for _, im := range batch {
			a.answered(im, plan.Gone, plan.RepositoryGone)
		}
		return nil
	}
	for _, im := range batch {
		a.settleTags(im, done)
	}
	return err
}

// settleTags settles the image unless some of its tags are in no part of the answer. An
// image that has lost some of them only, or a tag to which another image had come,
// has failed and is unconfirmed: something was removed.
func (a *Applier) settleTags(im *plan.Image, done Untagging) {
	removed, missing, refusal := 0, 0, ""
	for _, tag := range im.Untag {
		digest, gone := done.Removed[tag]
		failure, failed := done.Failed[tag]
		switch {
		case gone && digest != im.Digest:
			a.settlePartly(im, "tag "+tag+" had moved to "+digest+" and was removed there; push it again")
			return
		case gone:
			removed++
		case failed && failure.Code == plan.CodeImageNotFound:
			missing++
		case failed && refusal == "":
			refusal = "tag " + tag + ": " + failure.Error()
			a.answered(im, outcomeOf(failure), refusal)
		}
	}
	switch {
	case refusal != "" && removed > 0:
		a.settlePartly(im, fmt.Sprintf("%d of its %d tags were removed, but %s", removed, len(im.Untag), refusal))
	case refusal != "" || removed+missing < len(im.Untag):
	case removed > 0:
		a.answered(im, plan.Untagged, "")
	default:
		a.settleMissingTags(im, "its tags were not there any more")
	}
}

// settleMissingTags settles an image whose tags were not there any more: it has changed,
// unless a call without an answer was to remove them.
func (a *Applier) settleMissingTags(im *plan.Image, message string) {
	if why, before := a.unanswered[im.Digest]; before {
		a.infer(im, plan.Untagged, why+"; then "+message)
		return
	}
	im.Settle(plan.Changed, message)
}

func (a *Applier) settlePartly(im *plan.Image, message string) {
	a.unanswered[im.Digest] = message
	a.settle(im, plan.Failed, message)
}

// hasLostItsTags reports whether the image is as it was but for the tags that
// were to be removed.
func hasLostItsTags(im *plan.Image, current evaluator.Image) bool {
	planned := im.Image
	planned.Tags = slices.DeleteFunc(slices.Clone(im.Tags), func(tag string) bool { return slices.Contains(im.Untag, tag) })
	return plan.Difference(planned, current) == ""
}

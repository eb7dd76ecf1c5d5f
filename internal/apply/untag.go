package apply

import (
	"context"
	"fmt"
	"iter"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// chunksOfTags yields the images in order, in chunks that lose at most MaxBatch tags.
// One image must not lose more than that.
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

func (a *Applier) untagOnce(ctx context.Context, batch []*plan.Image) error {
	var tags []string
	for _, im := range batch {
		tags = append(tags, im.Untag...)
	}
	done, err := a.options.Remover.Untag(ctx, a.plan.Repository, tags)
	for _, im := range batch {
		a.settleTags(im, done)
	}
	return err
}

// settleTags settles the image unless some of its tags are in no part of the answer. An
// image that lost only some tags, or whose tag was removed from another image, has the
// outcome Unknown.
func (a *Applier) settleTags(im *plan.Image, done Untagging) {
	removed, missing, refusal := 0, 0, ""
	for _, tag := range im.Untag {
		digest, gone := done.Removed[tag]
		failure, failed := done.Failed[tag]
		switch {
		case gone && digest != im.Digest:
			a.settlePartly(im, "tag "+tag+" had moved to "+digest+" and was removed there; push the tag again")
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

// settlePartly settles an image as if the call had no answer.
func (a *Applier) settlePartly(im *plan.Image, message string) {
	a.unanswered[im.Digest] = message
	a.settle(im, plan.Failed, message)
}

// settleMissingTags settles an image whose tags do not exist. The image has changed,
// unless an earlier call without an answer was to remove the tags.
func (a *Applier) settleMissingTags(im *plan.Image, message string) {
	if why, before := a.unanswered[im.Digest]; before {
		a.infer(im, plan.Untagged, why+"; then "+message)
		return
	}
	im.Settle(plan.Changed, message)
}

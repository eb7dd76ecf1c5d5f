package cleaner

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// recheck describes those of the images that are open, and settles the ones
// that are not as planned any more.
func (a applier) recheck(images []*PlannedImage) {
	images = openOf(images)
	if len(images) == 0 || a.ctx.Err() != nil {
		return
	}
	now, err := a.describe(a.ctx, idsOf(images))
	if a.ctx.Err() != nil {
		return
	}
	for _, im := range images {
		current, found := now[im.Digest]
		switch difference := im.differs(current, now); {
		case err != nil:
			im.settle(Failed, "re-check: "+err.Error())
		case !found:
			im.settle(Gone, "not there any more")
		case difference != "":
			im.settle(Changed, difference+" changed since the plan")
		}
		a.logOutcome(im)
	}
}

func openOf(images []*PlannedImage) []*PlannedImage {
	return slices.DeleteFunc(slices.Clone(images), func(im *PlannedImage) bool { return !im.open() })
}

// describe returns those of the images that are still there, by digest. None
// are when the repository is not.
func (a applier) describe(ctx context.Context, digests []string) (map[string]evaluator.Image, error) {
	byDigest := make(map[string]evaluator.Image, len(digests))
	for chunk := range slices.Chunk(digests, MaxBatch) {
		found, err := a.remover.Describe(ctx, a.repository, chunk)
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
// returns "". Of an index the pulls of its children count, and its own unless
// that may be ours.
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
	if im.Discounted {
		current.LastRecordedPullTime = im.LastRecordedPullTime
	}
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

// instant reads the clock to see how long calls took. No verdict depends on it.
func instant() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does

package cleaner

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// maxCheckAge is the age beyond which an image is described once more before it
// is removed.
const maxCheckAge = 2 * time.Second

// A look is the description of an image by ECR at one time.
type look struct {
	image evaluator.Image
	found bool
	at    moment // when the request was sent
}

// maxLooks is how often images are described before a removal, if that takes
// longer than maxCheckAge each time: often enough for a spell in which most calls
// are throttled.
const maxLooks = 20

// recheck describes those of the images that are open, unless that was done
// just now, and settles the ones that are not as planned any more. Where some
// are gone, that can take many calls: then the others are described once more.
func (a *Applier) recheck(images []*PlannedImage) {
	for range maxLooks {
		images = openOf(images)
		if len(images) == 0 || a.ctx.Err() != nil {
			return
		}
		stale := a.stale(idsOf(images))
		err := a.look(a.ctx, stale)
		if a.ctx.Err() != nil {
			return
		}
		for _, im := range images {
			a.compare(im, err)
		}
		if len(stale) == 0 {
			return
		}
	}
	a.giveUpStale(images)
}

// giveUpStale leaves alone what could not be described in time.
func (a *Applier) giveUpStale(images []*PlannedImage) {
	for _, im := range openOf(images) {
		if len(a.stale(idsOf([]*PlannedImage{im}))) > 0 {
			a.settle(im, Failed, "re-check: ECR's answer was too old when it arrived; run again when ECR is faster")
			a.logOutcome(im)
		}
	}
}

// compare settles the image if it is not as planned any more, or if that is not
// known because of the error.
func (a *Applier) compare(im *PlannedImage, err error) {
	if err != nil {
		a.settle(im, Failed, "re-check: "+err.Error())
	} else {
		a.judge(im, a.unanswered[im.Digest])
	}
	a.logOutcome(im)
}

// stale returns those of the digests that were not described just now.
func (a *Applier) stale(digests []string) []string {
	now := momentOf(a.Clock)
	return slices.DeleteFunc(digests, func(digest string) bool { return a.looks[digest].at.age(now) <= maxCheckAge })
}

// look describes the images anew and forgets earlier looks at them.
func (a *Applier) look(ctx context.Context, digests []string) error {
	a.forget(digests)
	at := momentOf(a.Clock)
	now, err := describe(ctx, a.Remover, a.plan.Repository, digests)
	if err != nil {
		return err
	}
	for _, digest := range digests {
		im, found := now[digest]
		a.looks[digest] = look{im, found, at}
	}
	return nil
}

// forget makes the next call for the images describe them again.
func (a *Applier) forget(digests []string) {
	for _, digest := range digests {
		delete(a.looks, digest)
	}
}

// found returns the image as it was when it was described last.
func (a *Applier) found(digest string) (evaluator.Image, bool) {
	l := a.looks[digest]
	return l.image, l.found
}

func openOf(images []*PlannedImage) []*PlannedImage {
	return slices.DeleteFunc(slices.Clone(images), func(im *PlannedImage) bool { return !im.open() })
}

// describe returns those of the images that are still there, by digest. None
// are when the repository is not.
func describe(ctx context.Context, remover Remover, repository string, digests []string) (map[string]evaluator.Image, error) {
	byDigest := make(map[string]evaluator.Image, len(digests))
	for chunk := range slices.Chunk(digests, MaxBatch) {
		found, err := remover.Describe(ctx, repository, chunk)
		if err != nil && !errors.Is(err, ErrRepositoryNotFound) {
			return nil, err
		}
		for _, im := range found {
			byDigest[im.Digest] = im
		}
	}
	return byDigest, nil
}

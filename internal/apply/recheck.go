package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// maxCheckAge is the age beyond which an image is described once more before it
// is removed.
const maxCheckAge = 2 * time.Second

// A description is the description of an image by ECR at one time.
type description struct {
	image evaluator.Image
	found bool
	at    clock.Stamp // when the request was sent
}

// maxDescriptions is how often images are described before a removal, if that takes
// longer than maxCheckAge each time: often enough for a spell in which most calls
// are throttled.
const maxDescriptions = 20

// recheck describes those of the images that are open, unless that was done
// just now, and settles the ones that are not as planned any more. Where some
// are gone, that can take many calls: then the others are described once more.
func (a *Applier) recheck(images []*plan.Image) {
	for range maxDescriptions {
		images = openOf(images)
		if len(images) == 0 || a.ctx.Err() != nil {
			return
		}
		stale := a.stale(idsOf(images))
		err := a.describe(a.ctx, stale)
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
func (a *Applier) giveUpStale(images []*plan.Image) {
	for _, im := range openOf(images) {
		if len(a.stale(idsOf([]*plan.Image{im}))) > 0 {
			a.settle(im, plan.Failed, "re-check: ECR's answer was too old when it arrived; run again when ECR is faster")
			a.logOutcome(im)
		}
	}
}

// compare settles the image if it is not as planned any more, or if that is not
// known because of the error.
func (a *Applier) compare(im *plan.Image, err error) {
	if err != nil {
		a.settle(im, plan.Failed, "re-check: "+err.Error())
	} else {
		a.judge(im, a.unanswered[im.Digest])
	}
	a.logOutcome(im)
}

// stale returns those of the digests that were not described just now.
func (a *Applier) stale(digests []string) []string {
	now := clock.Read(a.Clock)
	return slices.DeleteFunc(digests, func(digest string) bool { return a.descriptions[digest].at.Age(now) <= maxCheckAge })
}

// describe describes the images anew and forgets earlier looks at them.
func (a *Applier) describe(ctx context.Context, digests []string) error {
	a.forget(digests)
	at := clock.Read(a.Clock)
	now, err := Describe(ctx, a.Remover, a.plan.Repository, digests)
	if err != nil {
		return err
	}
	for _, digest := range digests {
		im, found := now[digest]
		a.descriptions[digest] = description{im, found, at}
	}
	return nil
}

// forget makes the next call for the images describe them again.
func (a *Applier) forget(digests []string) {
	for _, digest := range digests {
		delete(a.descriptions, digest)
	}
}

// found returns the image as it was when it was described last.
func (a *Applier) found(digest string) (evaluator.Image, bool) {
	l := a.descriptions[digest]
	return l.image, l.found
}

func openOf(images []*plan.Image) []*plan.Image {
	return slices.DeleteFunc(slices.Clone(images), func(im *plan.Image) bool { return !im.Open() })
}

// Describe returns those of the images that are still there, by digest. None
// are when the repository is not.
func Describe(ctx context.Context, remover Remover, repository string, digests []string) (map[string]evaluator.Image, error) {
	byDigest := make(map[string]evaluator.Image, len(digests))
	for chunk := range slices.Chunk(digests, plan.MaxBatch) {
		found, err := remover.Describe(ctx, repository, chunk)
		if err != nil && !errors.Is(err, plan.ErrRepositoryNotFound) {
			return nil, err
		}
		for _, im := range found {
			byDigest[im.Digest] = im
		}
	}
	return byDigest, nil
}

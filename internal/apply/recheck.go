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

const (
	// maxCheckAge is the age from which a description is too old for a removing call.
	maxCheckAge = 2 * time.Second
	// maxDescriptions is how often a re-check describes images if the answers take
	// longer than maxCheckAge, for instance because of throttling.
	maxDescriptions = 20
)

type description struct {
	image evaluator.Image
	found bool
	at    clock.Stamp // when the request was sent
}

// recheck settles the open images that are not as planned. It describes images without a
// description younger than maxCheckAge, until it has one of each.
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
			if err != nil {
				a.settle(im, plan.Failed, "re-check: "+err.Error())
			} else {
				a.compare(im, a.unanswered[im.Digest])
			}
			a.logOutcome(im)
		}
		if len(stale) == 0 {
			return
		}
	}
	for _, im := range openOf(images) {
		if len(a.stale(idsOf([]*plan.Image{im}))) > 0 {
			a.settle(im, plan.Failed, "re-check: ECR's answer was too old when it arrived; run again when ECR is faster")
			a.logOutcome(im)
		}
	}
}

func openOf(images []*plan.Image) []*plan.Image {
	return slices.DeleteFunc(slices.Clone(images), func(im *plan.Image) bool { return !im.Open() })
}

func (a *Applier) stale(digests []string) []string {
	now := clock.Read(a.options.Clock)
	return slices.DeleteFunc(digests, func(digest string) bool { return a.descriptions[digest].at.Age(now) <= maxCheckAge })
}

// describe replaces the descriptions of the images. After an error there are none.
func (a *Applier) describe(ctx context.Context, digests []string) error {
	a.forget(digests)
	at := clock.Read(a.options.Clock)
	current, err := Describe(ctx, a.options.Remover, a.plan.Repository, digests)
	if err != nil {
		return err
	}
	for _, digest := range digests {
		im, found := current[digest]
		a.descriptions[digest] = description{im, found, at}
	}
	return nil
}

func (a *Applier) forget(digests []string) {
	for _, digest := range digests {
		delete(a.descriptions, digest)
	}
}

func (a *Applier) described(digest string) (im evaluator.Image, found bool) {
	d := a.descriptions[digest]
	return d.image, d.found
}

// Describe returns the existing images among the digests, by digest. The map is empty
// if the repository does not exist.
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

package ecrapi

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// maxHalved is the number of images for which LastActivity searches the missing ones.
const maxHalved = 20

// LastActivity returns when each image was last pushed, restored or pulled. The references
// are to images of the repository. An image that does not exist has no entry.
func (c Client) LastActivity(ctx context.Context, name string, images []reference.Reference) (map[reference.Reference]time.Time, error) {
	last := map[reference.Reference]time.Time{}
	asked, at := map[string]bool{}, map[string]time.Time{} // by digest or tag
	ids := make([]types.ImageIdentifier, len(images))
	for i := range images {
		ids[i].ImageTag = &images[i].Tag
		if images[i].Digest != "" {
			ids[i] = types.ImageIdentifier{ImageDigest: &images[i].Digest}
		}
		asked[cmp.Or(images[i].Digest, images[i].Tag)] = true
	}
	for found, err := range c.named(ctx, name, ids) {
		switch {
		case errors.Is(err, plan.ErrRepositoryNotFound):
			return last, nil
		case err != nil:
			return nil, err
		}
		for i := range found {
			im := &found[i]
			for _, name := range slices.Concat(im.Tags, []string{im.Digest}) {
				if asked[name] {
					at[name] = max(im.PushedAt, im.LastActivatedAt, im.LastRecordedPullTime).Time()
				}
			}
		}
	}
	for _, image := range images {
		if time, found := at[cmp.Or(image.Digest, image.Tag)]; found {
			last[image] = time
		}
	}
	return last, nil
}

// named returns the images with these names, and perhaps others. It costs about two calls
// to find out that one image is missing, so with many names it then lists the repository.
func (c Client) named(ctx context.Context, name string, ids []types.ImageIdentifier) iter.Seq2[[]evaluator.Image, error] {
	describe := c.describe
	if len(ids) > maxHalved {
		describe = c.describeAll
	}
	return func(yield func([]evaluator.Image, error) bool) {
		for some := range slices.Chunk(ids, plan.MaxBatch) {
			found, err := describe(ctx, name, some)
			if errors.Is(err, errImageNotFound) {
				c.Images(ctx, name)(yield)
				return
			}
			if !yield(found, err) {
				return
			}
		}
	}
}

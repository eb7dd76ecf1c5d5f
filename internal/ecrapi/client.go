package ecrapi

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// maxResults is the largest page that ECR gives.
const maxResults = 1000

// A Client reads and removes images through the ECR API. It is safe for
// concurrent use.
type Client struct {
	api API
	// emulated is true when an emulator answers.
	emulated bool
}

var (
	_ cleaner.Registry     = Client{}
	_ cleaner.PolicyReader = Client{}
	_ cleaner.TagReader    = Client{}
	_ cleaner.Remover      = Client{}
)

// New returns a client of that API.
func New(api API) Client { return Client{api: api} }

// Repositories lists the repositories of the registry in ECR's order.
func (c Client) Repositories(ctx context.Context) iter.Seq2[cleaner.Repository, error] {
	return oneByOne(listing[cleaner.Repository](func(token *string) (page[cleaner.Repository], error) {
		out, err := c.api.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(maxResults), NextToken: token})
		if err != nil {
			return page[cleaner.Repository]{}, Classify(err)
		}
		items, refused := converted(out.Repositories, repository)
		return page[cleaner.Repository]{items: items, refused: refused, next: aws.ToString(out.NextToken)}, present("repositories", out.Repositories != nil)
	}).unique("describe repositories", func(r *cleaner.Repository) string { return r.Name }, func(*cleaner.Repository) uint64 { return 0 }))
}

// Images lists the images of the repository whatever their status, each once, a
// page of ECR at a time.
func (c Client) Images(ctx context.Context, name string) iter.Seq2[[]evaluator.Image, error] {
	return listing[evaluator.Image](func(token *string) (page[evaluator.Image], error) {
		return c.describeImages(ctx, &ecr.DescribeImagesInput{
			RepositoryName: &name, MaxResults: aws.Int32(maxResults), NextToken: token,
			// without the filter ECR lists ACTIVE images only
			Filter: &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny},
		})
	}).unique("describe images in "+name, func(im *evaluator.Image) string { return im.Digest }, contentOf)
}

// PolicyText returns the text of the repository's lifecycle policy, or an
// error that is cleaner.ErrNoPolicy.
func (c Client) PolicyText(ctx context.Context, name string) (string, error) {
	out, err := c.api.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: &name})
	if err != nil {
		return "", fmt.Errorf("get lifecycle policy of %s: %w", name, Classify(err))
	}
	return aws.ToString(out.LifecyclePolicyText), nil
}

// RepositoryTags returns the tags of the repository, which ECR does not page.
func (c Client) RepositoryTags(ctx context.Context, r cleaner.Repository) (map[string]string, error) {
	out, err := c.api.ListTagsForResource(ctx, &ecr.ListTagsForResourceInput{ResourceArn: &r.ARN})
	if err == nil {
		err = present("tags", out.Tags != nil)
	}
	if err != nil {
		return nil, fmt.Errorf("list tags of %s: %w", r.Name, Classify(err))
	}
	tags := make(map[string]string, len(out.Tags))
	for _, tag := range out.Tags {
		if tag.Key == nil || tag.Value == nil {
			return nil, fmt.Errorf("list tags of %s: the answer has a tag without key or value", r.Name)
		}
		tags[*tag.Key] = *tag.Value
	}
	return tags, nil
}

// RepositoryPolicyText returns the text of the policy that lets others use the
// repository, or "" when it has none.
func (c Client) RepositoryPolicyText(ctx context.Context, name string) (string, error) {
	out, err := c.api.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: &name})
	if hasCode(err, "RepositoryPolicyNotFoundException") {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("get repository policy of %s: %w", name, Classify(err))
	}
	return aws.ToString(out.PolicyText), nil
}

// Describe returns those of at most 100 different digests that are still there. ECR
// refuses the whole call when one is missing: then each half is asked for on
// its own.
func (c Client) Describe(ctx context.Context, name string, digests []string) ([]evaluator.Image, error) {
	p, err := c.describeImages(withoutPace(ctx), &ecr.DescribeImagesInput{RepositoryName: &name, ImageIds: identifiers(digests)})
	if err == nil {
		err = p.refused
	}
	switch {
	case errors.Is(err, errImageNotFound) && len(digests) == 1:
		return nil, nil
	case errors.Is(err, errImageNotFound):
		half := len(digests) / 2
		first, firstErr := c.Describe(ctx, name, digests[:half])
		second, secondErr := c.Describe(ctx, name, digests[half:])
		return append(first, second...), errors.Join(firstErr, secondErr)
	case err != nil:
		return nil, fmt.Errorf("describe images in %s: %w", name, err)
	}
	missing := slices.DeleteFunc(slices.Clone(digests), func(digest string) bool {
		return slices.ContainsFunc(p.items, func(im evaluator.Image) bool { return im.Digest == digest })
	})
	if len(missing) > 0 { // an answer that repeats one image may lack another
		return nil, fmt.Errorf("describe images in %s: the answer has %d of %d images", name, len(digests)-len(missing), len(digests))
	}
	return p.items, nil
}

// Delete deletes at most 100 images by digest, in one call and one attempt.
func (c Client) Delete(ctx context.Context, name string, digests []string) (cleaner.Deletion, error) {
	out, err := c.api.BatchDeleteImage(withoutPace(ctx), &ecr.BatchDeleteImageInput{RepositoryName: &name, ImageIds: identifiers(digests)}, once, prompt)
	if err != nil {
		return cleaner.Deletion{}, fmt.Errorf("delete images in %s: %w", name, removal(err))
	}
	var d cleaner.Deletion
	for _, id := range out.ImageIds {
		d.Deleted = append(d.Deleted, aws.ToString(id.ImageDigest))
	}
	for _, f := range out.Failures {
		d.Failed = append(d.Failed, failure(f))
	}
	return d, nil
}

// Untag removes at most 100 tags, in one call and one attempt. The call names
// tags only: ECR takes a digest beside a tag for the image, with all its tags.
func (c Client) Untag(ctx context.Context, name string, tags []string) (cleaner.Untagging, error) {
	ids := make([]types.ImageIdentifier, len(tags))
	for i := range tags {
		ids[i].ImageTag = &tags[i]
	}
	out, err := c.api.BatchDeleteImage(withoutPace(ctx), &ecr.BatchDeleteImageInput{RepositoryName: &name, ImageIds: ids}, once, prompt)
	u := cleaner.Untagging{Removed: map[string]string{}, Failed: map[string]cleaner.Failure{}}
	if err != nil {
		return u, fmt.Errorf("remove tags in %s: %w", name, removal(err))
	}
	for _, id := range out.ImageIds {
		u.Removed[aws.ToString(id.ImageTag)] = aws.ToString(id.ImageDigest)
	}
	for _, f := range out.Failures {
		if f.ImageId != nil {
			u.Failed[aws.ToString(f.ImageId.ImageTag)] = failure(f)
		}
	}
	return u, nil
}

// Archive moves one image to the archive class, in one attempt.
func (c Client) Archive(ctx context.Context, name, digest string) error {
	out, err := c.api.UpdateImageStorageClass(withoutPace(ctx), &ecr.UpdateImageStorageClassInput{
		RepositoryName: &name, ImageId: &types.ImageIdentifier{ImageDigest: &digest},
		TargetStorageClass: types.TargetStorageClassArchive,
	}, once, prompt)
	if err == nil && out.ImageStatus != types.ImageStatusArchived {
		return fmt.Errorf("archive image %s in %s: %w: the answer has the imageStatus %q", digest, name, cleaner.ErrUnanswered, out.ImageStatus)
	}
	if err != nil {
		return fmt.Errorf("archive image %s in %s: %w", digest, name, archiveError(digest, err))
	}
	return nil
}

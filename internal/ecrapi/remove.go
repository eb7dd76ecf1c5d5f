package ecrapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Delete deletes at most 100 images by digest, in one call and one attempt.
func (c Client) Delete(ctx context.Context, name string, digests []string) (apply.Deletion, error) {
	out, err := c.api.BatchDeleteImage(withoutPace(ctx), &ecr.BatchDeleteImageInput{RepositoryName: &name, ImageIds: identifiers(digests)}, once)
	if err != nil {
		return apply.Deletion{}, fmt.Errorf("delete images in %s: %w", name, removal(err))
	}
	var d apply.Deletion
	for _, id := range out.ImageIds {
		d.Deleted = append(d.Deleted, aws.ToString(id.ImageDigest))
	}
	for _, f := range out.Failures {
		d.Failed = append(d.Failed, failure(f))
	}
	return d, nil
}

// Untag removes at most 100 tags, in one call and one attempt. The call has no digests,
// because for a digest with a tag ECR deletes the image with all its tags.
func (c Client) Untag(ctx context.Context, name string, tags []string) (apply.Untagging, error) {
	ids := make([]types.ImageIdentifier, len(tags))
	for i := range tags {
		ids[i].ImageTag = &tags[i]
	}
	out, err := c.api.BatchDeleteImage(withoutPace(ctx), &ecr.BatchDeleteImageInput{RepositoryName: &name, ImageIds: ids}, once)
	u := apply.Untagging{Removed: map[string]string{}, Failed: map[string]plan.Failure{}}
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
	}, once)
	switch {
	case err != nil:
		return fmt.Errorf("archive image %s in %s: %w", digest, name, archiveError(digest, err))
	case out.ImageStatus != types.ImageStatusArchived:
		return fmt.Errorf("archive image %s in %s: %w: the answer has the imageStatus %q", digest, name, apply.ErrUnanswered, out.ImageStatus)
	}
	return nil
}

// archiveError converts an error that concerns the image, not the call, into a failure.
func archiveError(digest string, err error) error {
	if apiErr, ok := errors.AsType[smithy.APIError](err); ok {
		switch code := apiErr.ErrorCode(); code {
		case "ImageNotFoundException", "ImageStorageClassUpdateNotSupportedException":
			return plan.Failure{Digest: digest, Code: strings.TrimSuffix(code, "Exception"), Message: apiErr.ErrorMessage()}
		}
	}
	return removal(err)
}

// removal classifies the error of a call that deletes, archives or untags.
func removal(err error) error {
	switch {
	case awsclient.IsThrottled(err), errors.Is(err, errLate): // ECR did nothing
		return fmt.Errorf("%w: %w", apply.ErrThrottled, err)
	case awsclient.IsFault(err), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", apply.ErrUnanswered, err)
	}
	return Classify(err)
}

const maxDelay = time.Second // between the re-check and the sending of a call

var errLate = errors.New("the call was not sent: getting credentials took more than a second; run again")

// once is an option of a call that deletes, archives or untags. The SDK makes one attempt,
// because the caller describes the images again before each attempt.
func once(o *ecr.Options) {
	o.Retryer = aws.NopRetryer{}
	began := now()
	beforeSending("Once", func(_ context.Context, send func() error) error {
		sent := now() // wall time passes while the machine is suspended
		if max(sent.Sub(began), sent.Round(0).Sub(began.Round(0))) > maxDelay {
			return errLate
		}
		return send()
	})(o)
}

func identifiers(digests []string) []types.ImageIdentifier {
	ids := make([]types.ImageIdentifier, len(digests))
	for i := range digests {
		ids[i].ImageDigest = &digests[i]
	}
	return ids
}

func failure(f types.ImageFailure) plan.Failure {
	return plan.Failure{Digest: digestOf(f.ImageId), Code: string(f.FailureCode), Message: aws.ToString(f.FailureReason)}
}

func digestOf(id *types.ImageIdentifier) string {
	if id == nil {
		return ""
	}
	return aws.ToString(id.ImageDigest)
}

func now() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does

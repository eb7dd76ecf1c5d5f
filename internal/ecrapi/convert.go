package ecrapi

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func repository(r types.Repository) (cleaner.Repository, error) {
	if aws.ToString(r.RepositoryName) == "" {
		return cleaner.Repository{}, fmt.Errorf("repository without name")
	}
	return cleaner.Repository{Name: *r.RepositoryName, RegistryID: aws.ToString(r.RegistryId), ARN: aws.ToString(r.RepositoryArn)}, nil
}

// image converts an image detail. Digest and push time must be there: without
// them nothing can be said about the image, nor about its neighbours in a
// count. A missing imageStatus means ACTIVE, as from an API that knows no
// archive.
func image(d types.ImageDetail) (evaluator.Image, error) {
	digest := aws.ToString(d.ImageDigest)
	if digest == "" {
		return evaluator.Image{}, fmt.Errorf("image without imageDigest (tags %q)", d.ImageTags)
	}
	if d.ImagePushedAt == nil || d.ImagePushedAt.IsZero() {
		return evaluator.Image{}, fmt.Errorf("image %s without imagePushedAt", digest)
	}
	for _, t := range []*time.Time{d.ImagePushedAt, d.LastRecordedPullTime, d.LastArchivedAt, d.LastActivatedAt} {
		// The SDK turns times that nanoseconds since 1970 cannot hold in 64 bits
		// into others, those of the years 0 and 9999 into some before 1970.
		if year := aws.ToTime(t).Year(); t != nil && (year < 1970 || year > 9999) {
			return evaluator.Image{}, fmt.Errorf("image %s has a time in the year %d", digest, year)
		}
	}
	status := evaluator.ImageStatus(d.ImageStatus)
	switch status {
	case "":
		status = evaluator.Active
	case evaluator.Active, evaluator.Archived, evaluator.Activating:
	default:
		return evaluator.Image{}, fmt.Errorf("image %s has the unknown imageStatus %q", digest, status)
	}
	return evaluator.Image{
		Digest:               digest,
		Tags:                 d.ImageTags,
		Status:               status,
		PushedAt:             *d.ImagePushedAt,
		LastRecordedPullTime: timeOf(d.LastRecordedPullTime),
		LastArchivedAt:       timeOf(d.LastArchivedAt),
		LastActivatedAt:      timeOf(d.LastActivatedAt),
		SizeInBytes:          aws.ToInt64(d.ImageSizeInBytes),
		ManifestMediaType:    aws.ToString(d.ImageManifestMediaType),
		ArtifactMediaType:    aws.ToString(d.ArtifactMediaType),
		SubjectDigest:        aws.ToString(d.SubjectManifestDigest),
	}, nil
}

func timeOf(t *time.Time) time.Time { return aws.ToTime(t) }

func identifiers(digests []string) []types.ImageIdentifier {
	ids := make([]types.ImageIdentifier, len(digests))
	for i := range digests {
		ids[i].ImageDigest = &digests[i]
	}
	return ids
}

func failure(f types.ImageFailure) cleaner.Failure {
	out := cleaner.Failure{Code: string(f.FailureCode), Message: aws.ToString(f.FailureReason)}
	if f.ImageId != nil {
		out.Digest = aws.ToString(f.ImageId.ImageDigest)
	}
	return out
}

package ecrapi

import (
	"cmp"
	"fmt"
	"hash/maphash"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/imagepage"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func repository(r types.Repository) (cleaner.Repository, error) {
	if aws.ToString(r.RepositoryName) == "" {
		return cleaner.Repository{}, fmt.Errorf("repository without name")
	}
	return cleaner.Repository{Name: *r.RepositoryName, RegistryID: aws.ToString(r.RegistryId), ARN: aws.ToString(r.RepositoryArn)}, nil
}

// image converts an image detail. A missing imageStatus means ACTIVE, as from
// an API that knows no archive.
func image(d types.ImageDetail) (evaluator.Image, error) {
	im := evaluator.Image{
		Digest:               aws.ToString(d.ImageDigest),
		Tags:                 d.ImageTags,
		Status:               cmp.Or(evaluator.ImageStatus(d.ImageStatus), evaluator.Active),
		PushedAt:             evaluator.At(aws.ToTime(d.ImagePushedAt)),
		LastRecordedPullTime: evaluator.At(aws.ToTime(d.LastRecordedPullTime)),
		LastArchivedAt:       evaluator.At(aws.ToTime(d.LastArchivedAt)),
		LastActivatedAt:      evaluator.At(aws.ToTime(d.LastActivatedAt)),
		SizeInBytes:          aws.ToInt64(d.ImageSizeInBytes),
		ManifestMediaType:    aws.ToString(d.ImageManifestMediaType),
		SubjectDigest:        aws.ToString(d.SubjectManifestDigest),
	}
	return im, imagepage.Check(&im)
}

var contentSeed = maphash.MakeSeed()

// contentOf returns a hash of the image's status, tags and times, without the time of
// its last pull. The order of the tags does not matter.
func contentOf(im *evaluator.Image) uint64 {
	sum := maphash.Comparable(contentSeed, struct {
		status                      evaluator.ImageStatus
		pushed, archived, activated evaluator.Instant
	}{im.Status, im.PushedAt, im.LastArchivedAt, im.LastActivatedAt})
	for _, tag := range im.Tags {
		sum += maphash.String(contentSeed, tag)
	}
	return sum
}

func identifiers(digests []string) []types.ImageIdentifier {
	ids := make([]types.ImageIdentifier, len(digests))
	for i := range digests {
		ids[i].ImageDigest = &digests[i]
	}
	return ids
}

func failure(f types.ImageFailure) cleaner.Failure {
	return cleaner.Failure{Digest: digestOf(f.ImageId), Code: string(f.FailureCode), Message: aws.ToString(f.FailureReason)}
}

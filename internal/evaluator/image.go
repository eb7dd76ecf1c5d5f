package evaluator

import "github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"

// An Image is one image detail as DescribeImages returns it. [Evaluate] reads the digest,
// the tags, the status and the times. The other fields are for its callers.
type Image struct {
	Digest string   // never empty
	Tags   []string // in any order
	Status ImageStatus
	// PushedAt is never zero in an image of ECR. An image with zero matches no rule.
	PushedAt Instant
	// The other times are zero if ECR reported none.
	LastRecordedPullTime Instant
	LastArchivedAt       Instant
	LastActivatedAt      Instant

	SizeInBytes int64 // for an index, the size of its largest child
	// ManifestMediaType and SubjectDigest are empty if ECR reported none.
	ManifestMediaType, SubjectDigest string
}

// ImageStatus is an image's imageStatus. There are more statuses than these constants.
type ImageStatus string

// The image statuses of the ECR API that the cleaner handles.
const (
	Active     ImageStatus = "ACTIVE"
	Archived   ImageStatus = "ARCHIVED"
	Activating ImageStatus = "ACTIVATING"
)

// A TimeField names a time of an image detail as the ECR API does.
type TimeField string

// The times that rules count from.
const (
	ImagePushedAt        TimeField = "imagePushedAt"
	LastRecordedPullTime TimeField = "lastRecordedPullTime"
	LastArchivedAt       TimeField = "lastArchivedAt"
	LastActivatedAt      TimeField = "lastActivatedAt"
)

// StorageClass returns the storage class of the image, which follows from its status, or ""
// if no rule may match it. An image without a push time would count as the oldest.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive_restore_image.html
func (im *Image) StorageClass() lifecycle.StorageClass {
	switch {
	case im.PushedAt.IsZero():
	case im.Status == Active:
		return lifecycle.StandardClass
	case im.Status == Archived:
		return lifecycle.ArchiveClass
	}
	return ""
}

// EffectivePushTime returns the time by which images are ordered: that of the restore, or
// of the push for an image that was never restored.
func (im *Image) EffectivePushTime() Instant {
	t, _ := im.pushed()
	return t
}

func (im *Image) pushed() (Instant, TimeField) {
	if im.LastActivatedAt.IsZero() {
		return im.PushedAt, ImagePushedAt
	}
	return im.LastActivatedAt, LastActivatedAt
}

// pulled returns the time that sinceImagePulled counts from. A pull before the restore
// does not count.
func (im *Image) pulled() (Instant, TimeField) {
	pull, restore := im.LastRecordedPullTime, im.LastActivatedAt
	if pull.IsZero() || !restore.IsZero() && pull.Before(restore) {
		return im.pushed()
	}
	return pull, LastRecordedPullTime
}

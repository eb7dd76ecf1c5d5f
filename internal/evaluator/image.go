package evaluator

import "github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"

// An Image is one image detail as DescribeImages returns it. [Evaluate] reads
// the digest, the tags, the status and the times; the rest travels along for
// the packages that act on verdicts.
type Image struct {
	// Digest identifies the image in its repository; it is never empty.
	Digest string
	// Tags may be empty. Their order carries no meaning.
	Tags   []string
	Status ImageStatus
	// PushedAt is never zero. Should it be, the image matches no rule.
	PushedAt Instant
	// The zero value of the other times means that ECR reported none.
	LastRecordedPullTime Instant
	LastArchivedAt       Instant
	LastActivatedAt      Instant

	// SizeInBytes is what ECR reports; for an index it is the size of its
	// largest child.
	SizeInBytes int64
	// ManifestMediaType and SubjectDigest are empty when ECR reported none.
	ManifestMediaType string
	SubjectDigest     string
}

// ImageStatus is an image's imageStatus. Only Active and Archived images can
// match a rule; one with any other status, known to us or not, is left alone.
type ImageStatus string

// The image statuses of the ECR API.
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

// StorageClass returns the class that rules find the image in, or "" if no
// rule may touch it. ECR reports no storage class: it follows from the status.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive_restore_image.html
//
// Without a push time the image would pass for the oldest of all, so it is
// kept out of every class.
func (im *Image) StorageClass() lifecycle.StorageClass {
	if im.PushedAt.IsZero() {
		return ""
	}
	switch im.Status {
	case Active:
		return lifecycle.StandardClass
	case Archived:
		return lifecycle.ArchiveClass
	case Activating:
	}
	return ""
}

// EffectivePushTime returns the time that orders the images of a repository and
// that sinceImagePushed counts from: the push or, for a restored image, the
// restore.
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

// pulled returns the time that sinceImagePulled counts from. A pull from
// before the image was restored no longer counts.
func (im *Image) pulled() (Instant, TimeField) {
	pull, restore := im.LastRecordedPullTime, im.LastActivatedAt
	if pull.IsZero() || !restore.IsZero() && pull.Before(restore) {
		return im.pushed()
	}
	return pull, LastRecordedPullTime
}

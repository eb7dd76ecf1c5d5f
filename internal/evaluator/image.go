package evaluator

import "time"

// An Image is one image detail as DescribeImages returns it. [Evaluate] reads
// the digest, the tags, the status and the times; the rest travels along for
// the packages that act on verdicts.
type Image struct {
	// Digest identifies the image in its repository; it is never empty.
	Digest string
	// Tags may be empty. Their order carries no meaning.
	Tags   []string
	Status ImageStatus
	// PushedAt is never zero.
	PushedAt time.Time
	// The zero value of the other times means that ECR reported none.
	LastRecordedPullTime time.Time
	LastArchivedAt       time.Time
	LastActivatedAt      time.Time

	// SizeInBytes is what ECR reports; for an index it is the size of its
	// largest child.
	SizeInBytes int64
	// ManifestMediaType, ArtifactMediaType and SubjectDigest are empty when
	// ECR reported none.
	ManifestMediaType string
	ArtifactMediaType string
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

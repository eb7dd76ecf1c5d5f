package imagepage

import (
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// Check returns an error if the image cannot be evaluated. Without its digest and push
// time, the position of the image and of others in a count is unknown.
func Check(im *evaluator.Image) error {
	if im.Digest == "" {
		return fmt.Errorf("image without imageDigest (tags %q); check the endpoint", im.Tags)
	}
	if im.PushedAt.IsZero() {
		return fmt.Errorf("image %s without imagePushedAt; check the endpoint", im.Digest)
	}
	for _, i := range [...]evaluator.Instant{im.PushedAt, im.LastRecordedPullTime, im.LastArchivedAt, im.LastActivatedAt} {
		if i < 0 || i >= year2262 {
			return fmt.Errorf("image %s has a time before the year 1970 or after 2261; check the endpoint", im.Digest)
		}
	}
	switch im.Status {
	case evaluator.Active, evaluator.Archived, evaluator.Activating:
		return nil
	}
	return fmt.Errorf("image %s has the unknown imageStatus %q; update the cleaner", im.Digest, im.Status)
}

var year2262 = evaluator.At(time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC))

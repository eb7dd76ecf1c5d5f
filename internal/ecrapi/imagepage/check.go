package imagepage

import (
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// Check says why an image cannot be judged. Digest and push time must be
// there: without them nothing can be said about the image, nor about its
// neighbours in a count.
func Check(im *evaluator.Image) error {
	if im.Digest == "" {
		return fmt.Errorf("image without imageDigest (tags %q)", im.Tags)
	}
	if im.PushedAt.IsZero() {
		return fmt.Errorf("image %s without imagePushedAt", im.Digest)
	}
	for _, i := range [...]evaluator.Instant{im.PushedAt, im.LastRecordedPullTime, im.LastArchivedAt, im.LastActivatedAt} {
		if i < 0 || i >= year2262 {
			return fmt.Errorf("image %s has a time before the year 1970 or after 2261", im.Digest)
		}
	}
	switch im.Status {
	case evaluator.Active, evaluator.Archived, evaluator.Activating:
		return nil
	}
	return fmt.Errorf("image %s has the unknown imageStatus %q", im.Digest, im.Status)
}

// year2262 is the year in which instants end.
var year2262 = evaluator.At(time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC))

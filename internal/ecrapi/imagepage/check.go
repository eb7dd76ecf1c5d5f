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
		// The SDK turns times that nanoseconds since 1970 cannot hold in 64 bits
		// into others, those of the years 0 and 9999 into some before 1970.
		if i < 0 || i >= year2262 {
			return fmt.Errorf("image %s has a time in the year %d", im.Digest, i.Time().Year())
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

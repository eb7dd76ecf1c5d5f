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
	for _, t := range [...]*time.Time{&im.PushedAt, &im.LastRecordedPullTime, &im.LastArchivedAt, &im.LastActivatedAt} {
		// The SDK turns times that nanoseconds since 1970 cannot hold in 64 bits
		// into others, those of the years 0 and 9999 into some before 1970.
		if s := t.Unix(); (s < 0 || s >= year10000) && !t.IsZero() {
			return fmt.Errorf("image %s has a time in the year %d", im.Digest, t.Year())
		}
	}
	switch im.Status {
	case evaluator.Active, evaluator.Archived, evaluator.Activating:
		return nil
	}
	return fmt.Errorf("image %s has the unknown imageStatus %q", im.Digest, im.Status)
}

// year10000 is the second at which it begins.
const year10000 = 253_402_300_800

package plan_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// An active image is one of the n newest unless n other active images are newer. Of images
// with the same push time, the one with the greater digest is newer.
func TestTheNewestAreThoseWithFewNewerOnes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		images := randomImages(random)
		n := 1 + random.IntN(12)
		by := protections(t, fmt.Sprintf(`"keepNewest": %d`, n), images...)
		for i := range images {
			im := &images[i]
			if im.Status != evaluator.Active {
				continue
			}
			if newer := countNewer(images, im); (newer < n) != (by[im.Digest] != "[]") {
				t.Errorf("%d newer than %s, keepNewest %d: protected by %s", newer, im.Digest, n, by[im.Digest])
			}
		}
	}
}

// randomImages returns images, many of which have the same push time.
func randomImages(random *rand.Rand) []evaluator.Image {
	images := make([]evaluator.Image, random.IntN(40))
	for i, digest := range random.Perm(len(images)) {
		images[i] = image(fmt.Sprintf("%02d", digest), 2*day+time.Duration(random.IntN(20)))
		if random.IntN(3) == 0 {
			images[i] = restored(images[i], 2*day+time.Duration(random.IntN(20)))
		}
		if random.IntN(3) == 0 {
			images[i].Status = evaluator.Archived
		}
	}
	return images
}

// countNewer returns the number of newer active images.
func countNewer(images []evaluator.Image, than *evaluator.Image) (n int) {
	for i := range images {
		a, b := images[i].EffectivePushTime(), than.EffectivePushTime()
		if images[i].Status == evaluator.Active && (a.After(b) || a == b && images[i].Digest > than.Digest) {
			n++
		}
	}
	return n
}

// Package bench is a registry for measurements: the embedded registry, filled to a given
// size. It renders the listings before the measurement, so that serving a page takes much
// less time than reading it. It counts calls, and calls that repeat an earlier one.
package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// A Size is the size of a registry.
type Size struct {
	Repositories int
	Images       int  // in each repository
	Attached     bool // whether each repository has a policy that marks some of its images
}

// Total returns the number of images in the registry.
func (s Size) Total() int { return s.Repositories * s.Images }

// Repository returns the name of the repository at that index.
func Repository(place int) string { return fmt.Sprintf("team-%02d/service-%04d", place%20, place) }

// age is the age of the oldest image. The ages of the images have equal distances.
const age = 400 * 24 * time.Hour

// fill puts the images into an empty registry. In each repository one image in twenty has
// no tag. There are no indexes. The last pull of each image is a day after its push.
func fill(s *fakeecr.Server, size Size, now time.Time) {
	for r := range size.Repositories {
		name := Repository(r)
		s.CreateRepository(name)
		if size.Attached {
			s.SetLifecyclePolicy(name, Policy(size.Images, Some))
		}
		for i := range size.Images {
			s.Put(name, newImage(name, i, size.Images, now))
		}
	}
}

func newImage(repository string, i, n int, now time.Time) fakeecr.Image {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", repository, i))
	digest := hex.EncodeToString(sum[:])
	pushed := now.Add(-time.Hour - age/time.Duration(n)*time.Duration(i))
	im := fakeecr.Image{
		Digest: "sha256:" + digest, PushedAt: pushed, LastRecordedPullTime: pushed.AddDate(0, 0, 1),
		SizeInBytes: 80_000_000 + int64(sum[0])*1_000_000,
	}
	if i%20 > 0 {
		im.Tags = []string{fmt.Sprintf("build-%d", n-i), digest[:12]}
	}
	return im
}

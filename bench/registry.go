// Package bench is a registry to measure on: the embedded one, filled to a
// given size, behind listings that were rendered beforehand, so that serving
// them costs far less than reading them. It counts the calls it gets and how
// many of them repeat an earlier one.
package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// A Size is how much a registry holds.
type Size struct {
	Repositories int
	// Images is the number of images in each repository.
	Images int
	// Attached is true when each repository has the policy attached that marks
	// some of its images.
	Attached bool
}

// Total is the number of images in the registry.
func (s Size) Total() int { return s.Repositories * s.Images }

// Repository names the repository in that place.
func Repository(place int) string { return fmt.Sprintf("team-%02d/service-%04d", place%20, place) }

// age is that of the oldest image; the others are spread evenly over it.
const age = 400 * 24 * time.Hour

// fill puts the images into an empty registry. In each repository one image in
// twenty has no tag; none is an index, and all were pulled for the last time a
// day after they were pushed.
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

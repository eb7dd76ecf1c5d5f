// Package bench is a registry for measurements: the embedded registry, filled to a given
// size. It renders the listings before the measurement, so that serving a page takes much
// less time than reading it. It counts calls, and calls that repeat an earlier one.
package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// A Size is the size of a registry.
type Size struct {
	Repositories int
	Images       int  // in each repository
	Small        int  // the number of further repositories, of SmallImages images each
	Attached     bool // whether each repository has a policy that marks some of its images
}

// SmallImages is the number of images in a small repository.
const SmallImages = 100

// Total returns the number of images in the registry.
func (s Size) Total() int { return s.Repositories*s.Images + s.Small*SmallImages }

// All returns the number of repositories, the small ones included.
func (s Size) All() int { return s.Repositories + s.Small }

// ImagesIn returns the number of images in the repository at that index.
func (s Size) ImagesIn(place int) int {
	if place < s.Repositories {
		return s.Images
	}
	return SmallImages
}

// Repository returns the name of the repository at that index.
func Repository(place int) string { return fmt.Sprintf("team-%02d/service-%04d", place%20, place) }

// age is the age of the oldest image. The ages of the images have equal distances.
const age = 400 * 24 * time.Hour

// fill puts the images into an empty registry. In each repository one image in twenty has
// no tag. There are no indexes. The last pull of each image is a day after its push.
func fill(s *fakeecr.Server, size Size, now time.Time) {
	for r := range size.All() {
		name, images := Repository(r), size.ImagesIn(r)
		s.CreateRepository(name)
		if size.Attached {
			s.SetLifecyclePolicy(name, Policy(images, Some))
		}
		for i := range images {
			s.Put(name, newImage(name, i, images, now))
		}
	}
}

func newImage(repository string, i, n int, now time.Time) fakeecr.Image {
	digest, tag := Image(repository, i, n)
	pushed := now.Add(-time.Hour - age/time.Duration(n)*time.Duration(i))
	hash := digest[len("sha256:"):]
	first, _ := strconv.ParseInt(hash[:2], 16, 64) // always hexadecimal
	im := fakeecr.Image{
		Digest: digest, PushedAt: pushed, LastRecordedPullTime: pushed.AddDate(0, 0, 1),
		SizeInBytes: 80_000_000 + first*1_000_000,
	}
	if tag != "" {
		im.Tags = []string{tag, hash[:12]}
	}
	return im
}

// Image returns the digest and a tag of an image in a repository of n images. The newest
// one has the index 0. An image without tags has the tag "".
func Image(repository string, i, n int) (digest, tag string) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", repository, i))
	if i%20 > 0 {
		tag = fmt.Sprintf("build-%d", n-i)
	}
	return "sha256:" + hex.EncodeToString(sum[:]), tag
}

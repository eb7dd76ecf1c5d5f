// Package selection chooses the images of one repository that a person wants to remove. In come
// the listed images, and names or a [Filter]. Out come the chosen images with a reason. The
// package knows no protection and no relations between images.
package selection

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A Listing finds the listed images of one repository by name. The position of an image is its
// index in Images.
type Listing struct {
	Repository string
	Images     []evaluator.Image
	// positions are by digest and tag; no tag looks like a digest. If a tag moved during the
	// listing, repeated has further images with it. The maps are nil until needed.
	positions map[string]int
	repeated  map[string][]int
}

// Position returns the position of the image with the digest, or of the first with the tag.
func (l *Listing) Position(name string) (i int, listed bool) {
	if l.positions == nil {
		l.positions, l.repeated = make(map[string]int, 2*len(l.Images)), map[string][]int{}
		for i := range l.Images {
			l.positions[l.Images[i].Digest] = i
			for _, tag := range l.Images[i].Tags {
				if first, found := l.positions[tag]; !found {
					l.positions[tag] = i
				} else if first != i {
					l.repeated[tag] = append(l.repeated[tag], i)
				}
			}
		}
	}
	i, listed = l.positions[name]
	return i, listed
}

// WithName returns the positions of all images with the digest or tag.
func (l *Listing) WithName(name string) []int {
	if i, listed := l.Position(name); listed {
		return append([]int{i}, l.repeated[name]...)
	}
	return nil
}

// Find is like Position, and also takes the beginning of a digest. It returns an error if
// several listed images have the tag, or a digest with this beginning.
func (l *Listing) Find(name string) (i int, listed bool, err error) {
	i, listed = l.Position(name)
	if !listed {
		return l.findPrefix(name)
	}
	if others := len(l.repeated[name]); others > 0 {
		err = fmt.Errorf("repository %s: the tag %s is on %d of the listed images, because it moved while they were listed; run again, or name the image by its digest",
			l.Repository, name, others+1)
	}
	return i, listed, err
}

// FindAll returns the position for each name. It returns an error if a name is not that of one
// listed image. With partial, an image that is not listed has the position -1.
func (l *Listing) FindAll(names []string, partial bool) ([]int, error) {
	positions := make([]int, len(names))
	var unknown []string
	for at, name := range names {
		i, listed, err := l.Find(name)
		if err != nil {
			return nil, err
		}
		if positions[at] = i; !listed {
			positions[at], unknown = -1, append(unknown, name)
		}
	}
	if len(unknown) > 0 && !partial {
		return nil, l.noImage(unknown)
	}
	return positions, nil
}

// digestPrefix returns the hexadecimal digits of the beginning of a digest, and the algorithm
// if it has one. At least four digits are needed. Without the algorithm, a number needs twelve,
// because a shorter one is more likely the tag of a build.
func digestPrefix(name string) (algorithm, digits string, ok bool) {
	algorithm, digits, whole := strings.Cut(name, ":")
	least := 4
	if !whole {
		algorithm, digits = "", name
		if strings.Trim(name, "0123456789") == "" {
			least = 12
		}
	}
	return algorithm, digits, len(digits) >= least && strings.Trim(digits, "0123456789abcdef") == ""
}

// findPrefix finds the only image whose digest begins with the prefix.
func (l *Listing) findPrefix(prefix string) (i int, listed bool, err error) {
	algorithm, digits, ok := digestPrefix(prefix)
	if !ok {
		return 0, false, nil
	}
	var matching []string
	for j := range l.Images {
		of, encoded, _ := strings.Cut(l.Images[j].Digest, ":")
		if strings.HasPrefix(encoded, digits) && (algorithm == "" || of == algorithm) {
			i, matching = j, append(matching, l.Images[j].Digest)
		}
	}
	if len(matching) > 1 {
		slices.Sort(matching)
		err = fmt.Errorf("repository %s: %d images have a digest that begins with %s: %s; give more digits of it",
			l.Repository, len(matching), prefix, strings.Join(words.Few(matching), ", "))
	}
	return i, len(matching) > 0, err
}

// noImage is the error for names that no image has.
func (l *Listing) noImage(names []string) error {
	hinted, tags, near := make([]string, len(names)), l.Tags(), false
	for i, name := range names {
		hint := nearest.Hint(name, tags)
		hinted[i], near = name+hint, near || hint != ""
	}
	err := fmt.Errorf("repository %s has no image with the digest or tag %s", l.Repository, strings.Join(hinted, ", "))
	switch {
	case len(l.Images) == 0:
		return fmt.Errorf("%w; it has no images", err)
	case len(tags) == 0 || near:
		return err
	}
	return fmt.Errorf("%w; its newest tags are %s", err, strings.Join(l.newestTags(), ", "))
}

// newestTags returns a few tags of the newest images.
func (l *Listing) newestTags() []string {
	const most = 3
	images := slices.Clone(l.Images)
	slices.SortStableFunc(images, func(a, b evaluator.Image) int { return b.PushedAt.Compare(a.PushedAt) })
	tags := (&Listing{Images: images}).Tags()
	return tags[:min(most, len(tags))]
}

// Tags returns the tags of all images.
func (l *Listing) Tags() []string {
	var tags []string
	for i := range l.Images {
		tags = append(tags, l.Images[i].Tags...)
	}
	return tags
}

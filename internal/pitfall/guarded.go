package pitfall

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// findGuarded looks for entries that seem to guard the tag that is their prefix. The rule
// acts on the image with that tag, or would do so after one more push.
func (s *Survey) findGuarded(i int, repository string, images []evaluator.Image) {
	r := &s.rules[i]
	if r.Selection.CountType != lifecycle.ImageCountMoreThan {
		return
	}
	for k := range r.entries {
		e := &r.entries[k]
		if e.prefix == "" || e.guarded != "" {
			continue
		}
		if image := imageTagged(images, e.prefix); image != nil && s.decides(i, image) {
			other, newer := r.others(images, image, e.prefix)
			if other != "" && (newer >= r.Selection.CountNumber || r.Selection.CountNumber == 1) {
				e.guarded, e.where = other, repository
			}
		}
	}
}

// imageTagged returns the image with the tag, or nil.
func imageTagged(images []evaluator.Image, tag string) *evaluator.Image {
	for i := range images {
		if slices.Contains(images[i].Tags, tag) {
			return &images[i]
		}
	}
	return nil
}

// decides reports whether the i-th rule is the first that matches the image.
func (s *Survey) decides(i int, im *evaluator.Image) bool {
	first := slices.IndexFunc(s.order, func(k int) bool { return s.rules[k].matches(im) })
	return first >= 0 && s.order[first] == i
}

func (r *rule) matches(im *evaluator.Image) bool {
	return r.Selection.StorageClass == im.StorageClass() && r.Selection.MatchesTags(im.Tags)
}

// others looks at the other images that the rule matches. It returns one of their tags with
// the prefix, or "", and the number of those that were pushed after the image.
func (r *rule) others(images []evaluator.Image, image *evaluator.Image, prefix string) (tag string, newer int) {
	for i := range images {
		im := &images[i]
		if im.Digest == image.Digest || !r.matches(im) {
			continue
		}
		if im.PushedAt.After(image.PushedAt) {
			newer++
		}
		if k := slices.IndexFunc(im.Tags, func(tag string) bool { return strings.HasPrefix(tag, prefix) }); k >= 0 {
			tag = im.Tags[k]
		}
	}
	return tag, newer
}

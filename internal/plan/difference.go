package plan

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// Difference names the first difference between the image and its plan, or returns "". The
// pulls of an index's children count as well.
func (im *Image) Difference(current evaluator.Image, now func(digest string) (evaluator.Image, bool)) string {
	for _, child := range im.Children {
		there, found := now(child.Digest)
		if found && there.LastRecordedPullTime != child.LastRecordedPullTime {
			return "lastRecordedPullTime of its child " + child.Digest
		}
	}
	if im.isOwnPull(current.LastRecordedPullTime) {
		current.LastRecordedPullTime = im.LastRecordedPullTime
	}
	return Difference(im.Image, current)
}

// Difference compares everything that a deletion depends on.
func Difference(planned, current evaluator.Image) string {
	switch {
	case !sameTags(planned.Tags, current.Tags):
		return "imageTags"
	case planned.Status != current.Status:
		return "imageStatus"
	case planned.LastRecordedPullTime != current.LastRecordedPullTime:
		return "lastRecordedPullTime"
	case planned.EffectivePushTime() != current.EffectivePushTime():
		return "imagePushedAt"
	}
	return ""
}

// sameTags compares tags in any order.
func sameTags(a, b []string) bool {
	return slices.Equal(a, b) || slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

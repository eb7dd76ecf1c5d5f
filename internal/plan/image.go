package plan

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// Follow is the action on an image that is deleted with the last image that references it.
const Follow evaluator.Action = "follow"

// An Image is an image with an action.
type Image struct {
	evaluator.Image
	Action evaluator.Action // never evaluator.Keep
	Rule   int              // the priority of the applied rule; 0 for Follow and a named image
	Reason string
	// OnExpire is config.ArchiveExpired if the image expires and would be archived instead
	// of deleted. Otherwise it is empty.
	OnExpire    config.OnExpire
	Untag       []string // the tags to remove, at most MaxBatch
	ProtectedBy []Protection
	Parents     []string // digests of images that must be removed before the image
	// Unread is true for an index that was not read. Images that it may list are removed
	// only after it, except its own ancestors, whose digests are in Above.
	Unread bool
	Above  []string
	// Children are the listed images below an index that was read, except other such indexes.
	// It is nil for any other image.
	Children []evaluator.Image
	// Read is when ECR may have recorded the read of the manifest as a pull. It is zero
	// unless ECR is known to record this role's pulls.
	Read     Span
	ownPull  evaluator.Instant // the pull that ECR recorded for a read by the cleaner
	readSeen bool              // true if that read is Read
	Outcome  Outcome           // empty until the plan is applied
	Message  string            // about the outcome; may be empty
}

// Protected reports whether something protects the image from the action.
func (im *Image) Protected() bool { return len(im.ProtectedBy) > 0 }

// Open reports whether the image is still to be removed.
func (im *Image) Open() bool { return !im.Protected() && im.Outcome == "" }

// Archives reports whether the action archives the image.
func (im *Image) Archives() bool { return Archives(im.Action, im.OnExpire) }

// Archives reports whether the action with that OnExpire archives an image.
func Archives(action evaluator.Action, onExpire config.OnExpire) bool {
	return action == evaluator.Transition || onExpire == config.ArchiveExpired
}

// Deletes reports whether the action deletes the image.
func (im *Image) Deletes() bool {
	return (im.Action == evaluator.Expire || im.Action == Follow) && !im.Archives()
}

// OwnBytes returns the size in bytes, or 0 for an index, which has its largest child's.
func (im *Image) OwnBytes() int64 {
	if graph.IsIndex(im.Image) {
		return 0
	}
	return im.SizeInBytes
}

// ChildrenPulledAt returns the latest recorded pull of the children; zero if none.
func (im *Image) ChildrenPulledAt() evaluator.Instant { return latestPull(im.Children) }

func latestPull(images []evaluator.Image) evaluator.Instant {
	var latest evaluator.Instant
	for i := range images {
		latest = max(latest, images[i].LastRecordedPullTime)
	}
	return latest
}

// Settle sets the outcome and its message.
func (im *Image) Settle(o Outcome, message string) { im.Outcome, im.Message = o, message }

// RemovedFor reports whether a parent with the outcome no longer prevents the action.
func (im *Image) RemovedFor(parent Outcome) bool {
	return parent == Deleted || parent == Gone || parent == MovedToArchive && im.Archives()
}

// Difference is like the function Difference, but disregards a pull that AcceptOwnRead
// noted. It also compares the pulls of the children that find returns by digest.
func (im *Image) Difference(current evaluator.Image, find func(digest string) (evaluator.Image, bool)) string {
	for i := range im.Children {
		child := &im.Children[i]
		if now, found := find(child.Digest); found && now.LastRecordedPullTime != child.LastRecordedPullTime {
			return "lastRecordedPullTime of its child " + child.Digest
		}
	}
	if !im.ownPull.IsZero() && current.LastRecordedPullTime == im.ownPull {
		current.LastRecordedPullTime = im.LastRecordedPullTime
	}
	return Difference(im.Image, current)
}

// Difference names the first field that differs and matters for a removal, or returns "".
// The order of the tags does not matter.
func Difference(planned, current evaluator.Image) string {
	switch {
	case !slices.Equal(planned.Tags, current.Tags) &&
		!slices.Equal(slices.Sorted(slices.Values(planned.Tags)), slices.Sorted(slices.Values(current.Tags))):
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

package report

import (
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Counts are numbers of images, but for the bytes.
type Counts struct {
	// Evaluated is the number of images listed.
	Evaluated int `json:"evaluated"`
	// Expired, Transitioned, Untagged and Followed are what the plan would
	// remove after protection, by verdict.
	Expired      int `json:"expired"`
	Transitioned int `json:"transitioned"`
	Untagged     int `json:"untagged"`
	Followed     int `json:"followed"`
	// Protected is what has a verdict to act on but is vetoed.
	Protected int `json:"protected"`
	// The others are outcomes. TagsRemoved counts the images that lost tags.
	TagsRemoved int `json:"tagsRemoved,omitempty"`
	Deleted     int `json:"deleted"`
	Archived    int `json:"archived"`
	Blocked     int `json:"blocked"`
	Changed     int `json:"changed"`
	Gone        int `json:"gone"`
	Failed      int `json:"failed"`
	// Unknown counts the images for which it is not known whether ECR carried out a
	// removing call. They may still be removed.
	Unknown int `json:"unknown,omitempty"`
	// NotAttempted is what a run that was stopped did not come to.
	NotAttempted int `json:"notAttempted,omitempty"`
	// ReclaimableBytes is the total size of the images that the plan would delete,
	// DeletedBytes that of the images that were deleted. Both are upper bounds of the
	// space that is freed, since images share layers.
	ReclaimableBytes int64 `json:"reclaimableBytes"`
	DeletedBytes     int64 `json:"deletedBytes,omitempty"`
}

func (c *Counts) plan(im *plan.Image) {
	switch {
	case im.Protected():
		c.Protected++
		return
	case im.Action == evaluator.Transition:
		c.Transitioned++
		return
	case im.Action == evaluator.Untag:
		c.Untagged++
		return
	case im.Action == plan.Follow:
		c.Followed++
	default:
		c.Expired++
	}
	if !im.Archives() {
		c.ReclaimableBytes += im.OwnBytes()
	}
}

func (c *Counts) settle(o plan.Outcome) {
	switch o {
	case plan.Deleted:
		c.Deleted++
	case plan.MovedToArchive:
		c.Archived++
	case plan.Untagged:
		c.TagsRemoved++
	case plan.Blocked:
		c.Blocked++
	case plan.Changed:
		c.Changed++
	case plan.Gone:
		c.Gone++
	case plan.Failed:
		c.Failed++
	case plan.Unknown:
		c.Unknown++
	case plan.NotAttempted:
		c.NotAttempted++
	}
}

// NotDone counts the images that make a run incomplete.
func (c *Counts) NotDone() int { return c.Failed + c.Unknown + c.NotAttempted }

func (c *Counts) add(o Counts) {
	c.Evaluated += o.Evaluated
	c.Expired += o.Expired
	c.Transitioned += o.Transitioned
	c.Untagged += o.Untagged
	c.Followed += o.Followed
	c.Protected += o.Protected
	c.TagsRemoved += o.TagsRemoved
	c.Deleted += o.Deleted
	c.Archived += o.Archived
	c.Blocked += o.Blocked
	c.Changed += o.Changed
	c.Gone += o.Gone
	c.Failed += o.Failed
	c.Unknown += o.Unknown
	c.NotAttempted += o.NotAttempted
	c.ReclaimableBytes += o.ReclaimableBytes
	c.DeletedBytes += o.DeletedBytes
}

package report

import (
	"reflect"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Counts are numbers of images and of bytes.
type Counts struct {
	Evaluated int `json:"evaluated"` // listed
	// The next four count images by verdict, Protected the protected ones of any verdict.
	Expired      int `json:"expired"`
	Transitioned int `json:"transitioned"`
	Untagged     int `json:"untagged"`
	Followed     int `json:"followed"`
	Protected    int `json:"protected"`
	// The next ones count images by outcome.
	TagsRemoved  int `json:"tagsRemoved,omitempty"`
	Deleted      int `json:"deleted"`
	Archived     int `json:"archived"`
	Blocked      int `json:"blocked"`
	Changed      int `json:"changed"`
	Gone         int `json:"gone"`
	Failed       int `json:"failed"`
	Unknown      int `json:"unknown,omitempty"`
	NotAttempted int `json:"notAttempted,omitempty"`
	// ReclaimableBytes is the size of the images that the plan would delete. Both sizes
	// are upper bounds of the freed space, since images share layers.
	ReclaimableBytes int64 `json:"reclaimableBytes"`
	DeletedBytes     int64 `json:"deletedBytes,omitempty"`
}

// Removals returns the number of images that the plan would remove.
func (c *Counts) Removals() int { return c.Expired + c.Transitioned + c.Untagged + c.Followed }

// NotDone returns the number of images that make a run incomplete.
func (c *Counts) NotDone() int { return c.Failed + c.Unknown + c.NotAttempted }

func (c *Counts) count(im *plan.Image) {
	switch {
	case im.Protected():
		c.Protected++
	case im.Action == evaluator.Transition:
		c.Transitioned++
	case im.Action == evaluator.Untag:
		c.Untagged++
	case im.Action == plan.Follow:
		c.Followed++
	default:
		c.Expired++
	}
	if im.Deletes() && !im.Protected() {
		c.ReclaimableBytes += im.OwnBytes()
	}
	switch im.Outcome {
	case plan.Deleted:
		c.Deleted++
		c.DeletedBytes += im.OwnBytes()
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

func (c *Counts) add(o Counts) {
	sum, summand := reflect.ValueOf(c).Elem(), reflect.ValueOf(o)
	for i := range sum.NumField() {
		sum.Field(i).SetInt(sum.Field(i).Int() + summand.Field(i).Int())
	}
}

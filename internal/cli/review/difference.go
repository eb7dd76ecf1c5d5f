package review

import (
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A Difference is the difference of two plans, From and To. No list is nil.
type Difference struct {
	Version int  `json:"version"` // 1
	From    Side `json:"from"`
	To      Side `json:"to"`
	// Added are the images that only To removes, and Removed those that only From removes.
	// Changed are those with another verdict, rule or kind of protection.
	Added        []Image      `json:"added"`
	Removed      []Image      `json:"removed"`
	Changed      []Image      `json:"changed"`
	Repositories []Repository `json:"repositories"` // that only one plan has, or only one skips
	AddedBytes   int64        `json:"addedBytes"`   // at most, because images share layers
	RemovedBytes int64        `json:"removedBytes"`
}

// A Side is one of the two plans.
type Side struct {
	File          string      `json:"file,omitempty"` // empty for a new plan
	RunID         string      `json:"runId"`
	Mode          config.Mode `json:"mode"`
	Account       string      `json:"account"`
	Region        string      `json:"region"`
	Start         time.Time   `json:"start"`
	Configuration string      `json:"configuration"`
	Incomplete    bool        `json:"incomplete"`
	Images        int         `json:"images"` // to remove
	Bytes         int64       `json:"bytes"`  // to delete, at most

	report *report.Report
}

// An Image is an image for which the plans differ.
type Image struct {
	Repository       string   `json:"repository"`
	ImageDigest      string   `json:"imageDigest"`
	ImageTags        []string `json:"imageTags"`
	ImageSizeInBytes int64    `json:"imageSizeInBytes"`
	Before           State    `json:"before"` // in From
	After            State    `json:"after"`  // in To
}

// A State is what one plan says about an image.
type State struct {
	Removed             bool             `json:"removed"`
	Verdict             evaluator.Action `json:"verdict,omitempty"` // empty if the plan does not have the image
	AppliedRulePriority int              `json:"appliedRulePriority,omitempty"`
	OnExpire            config.OnExpire  `json:"onExpire,omitempty"` // as in the report
	Untag               []string         `json:"untag,omitempty"`
	Why                 string           `json:"why"`
}

// A Repository is a repository that appeared, disappeared, or is skipped in another way.
type Repository struct {
	Name   string `json:"name"`
	Before string `json:"before"` // planned, not in the plan, or why it is skipped
	After  string `json:"after"`
}

func (d *Difference) differences() int {
	return len(d.Added) + len(d.Removed) + len(d.Changed) + len(d.Repositories)
}

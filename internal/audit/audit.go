package audit

import "time"

// An Audit is what the runs in a log removed.
type Audit struct {
	// Runs are in the order in which the log first names them; never nil.
	Runs []Run `json:"runs"`
	// Totals are the sums over all runs.
	Totals Totals `json:"totals"`
	Lines  Lines  `json:"lines"`
}

// A Run is what one run removed, each kind in the order of the log and never nil.
type Run struct {
	ID string `json:"runId"`
	// Finished is false when the log does not have the end of the run.
	Finished bool `json:"finished"`
	// Removed are the images that ECR confirmed to be deleted, archived or
	// without the tags that were to go.
	Removed []Image `json:"removed"`
	// Unconfirmed are those for which no such answer came, and that were found
	// removed thereafter.
	Unconfirmed []Image `json:"unconfirmed"`
	// Unknown are those that may have been removed: the log has no outcome, or
	// none that an answer of ECR confirms. The former have no Outcome and come
	// last.
	Unknown []Image `json:"unknown"`
	Totals  Totals  `json:"totals"`
}

// An Image is an image that was, or may have been, removed.
type Image struct {
	RunID               string    `json:"runId"`
	Time                time.Time `json:"time,omitzero"` // of the outcome, or else of the intent
	Repository          string    `json:"repository"`
	Policy              string    `json:"policy"` // the entry of the configuration
	ImageDigest         string    `json:"imageDigest"`
	ImageTags           []string  `json:"imageTags"`
	ImagePushedAt       time.Time `json:"imagePushedAt,omitzero"`
	ImageSizeInBytes    int64     `json:"imageSizeInBytes"`
	Verdict             string    `json:"verdict"`
	AppliedRulePriority int       `json:"appliedRulePriority,omitempty"` // 0 where no rule claimed the image
	Reason              string    `json:"reason"`
	Untag               []string  `json:"untag,omitempty"`
	Outcome             string    `json:"outcome,omitempty"`
	Message             string    `json:"message,omitempty"`
}

// Totals are numbers of images.
type Totals struct {
	// Deleted, Archived and TagsRemoved are what ECR confirmed.
	Deleted     int `json:"deleted"`
	Archived    int `json:"archived"`
	TagsRemoved int `json:"tagsRemoved"`
	Unconfirmed int `json:"unconfirmed"`
	Unknown     int `json:"unknown"`
	// The others stayed, or were not there any more.
	Blocked      int `json:"blocked"`
	Changed      int `json:"changed"`
	Gone         int `json:"gone"`
	Failed       int `json:"failed"`
	NotAttempted int `json:"notAttempted"`
}

// Listed is the number of images that were, or may have been, removed.
func (t Totals) Listed() int {
	return t.Deleted + t.Archived + t.TagsRemoved + t.Unconfirmed + t.Unknown
}

func (t *Totals) add(more Totals) {
	t.Deleted += more.Deleted
	t.Archived += more.Archived
	t.TagsRemoved += more.TagsRemoved
	t.Unconfirmed += more.Unconfirmed
	t.Unknown += more.Unknown
	t.Blocked += more.Blocked
	t.Changed += more.Changed
	t.Gone += more.Gone
	t.Failed += more.Failed
	t.NotAttempted += more.NotAttempted
}

// Lines are numbers of log lines, blank ones not counted.
type Lines struct {
	// Read counts the lines that the function or the tool wrote, in a run or before it.
	Read int `json:"read"`
	// Others have none.
	Others int `json:"others"`
	// Unreadable is how often something looks like a line about an image and
	// cannot be read: what it says is missing.
	Unreadable int `json:"unreadable"`
	// Faults name the first MaxFaults of them.
	Faults []Fault `json:"faults,omitempty"`
}

// MaxFaults bounds the faults that are named.
const MaxFaults = 10

// A Fault is an unreadable line.
type Fault struct {
	Line    int    `json:"line"` // from 1
	Message string `json:"message"`
}

// Package audit reads the log of the function or the tool, and lists the images that the
// runs deleted, archived or untagged. A run writes a line with the message intent for each
// image before the call, and a line with the message image after it. An intent without an
// outcome means that the process ended during the call.
package audit

import "time"

// An Audit lists the images that the runs in a log removed: deleted, archived or untagged.
type Audit struct {
	// Runs are in the order of their first lines; never nil.
	Runs   []Run  `json:"runs"`
	Totals Totals `json:"totals"`
	Lines  Lines  `json:"lines"`
}

// A Run lists the images of one run, in the order of the log. No list is nil.
type Run struct {
	ID       string  `json:"runId"`
	Finished bool    `json:"finished"` // the log has the end of the run
	Removed  []Image `json:"removed"`  // ECR confirmed it
	// Unconfirmed are the images for which ECR did not answer, and that the cleaner later
	// found removed.
	Unconfirmed []Image `json:"unconfirmed"`
	Unknown     []Image `json:"unknown"` // may have been removed; the last have no outcome in the log
	Totals      Totals  `json:"totals"`
	End         *End    `json:"end,omitempty"` // nil if the log does not have it in full
}

// An End is the last line of a run in its log.
type End struct {
	Time       time.Time        `json:"time"`
	Mode       string           `json:"mode"`
	Account    string           `json:"account"`
	Region     string           `json:"region"`
	Incomplete bool             `json:"incomplete"`
	Undone     map[string]int   `json:"undone"` // the causes why it is incomplete
	Totals     map[string]int64 `json:"totals"` // those of the report
}

// An Image is an image that was, or may have been, removed.
type Image struct {
	RunID               string    `json:"runId"`
	Time                time.Time `json:"time,omitzero"` // of the outcome, or else of the intent
	Repository          string    `json:"repository"`
	Policy              string    `json:"policy"` // the name of the configuration's entry
	ImageDigest         string    `json:"imageDigest"`
	ImageTags           []string  `json:"imageTags"`
	ImagePushedAt       time.Time `json:"imagePushedAt,omitzero"`
	ImageSizeInBytes    int64     `json:"imageSizeInBytes"`
	Verdict             string    `json:"verdict"`
	AppliedRulePriority int       `json:"appliedRulePriority,omitempty"` // 0 if no rule was applied
	Reason              string    `json:"reason"`
	Untag               []string  `json:"untag,omitempty"`
	Outcome             string    `json:"outcome,omitempty"`
	Message             string    `json:"message,omitempty"`
}

// Totals are numbers of images. The first three count the confirmed removals. The images
// after Unknown were kept, or did not exist any more.
type Totals struct {
	Deleted      int `json:"deleted"`
	Archived     int `json:"archived"`
	TagsRemoved  int `json:"tagsRemoved"`
	Unconfirmed  int `json:"unconfirmed"`
	Unknown      int `json:"unknown"`
	Blocked      int `json:"blocked"`
	Changed      int `json:"changed"`
	Gone         int `json:"gone"`
	Failed       int `json:"failed"`
	NotAttempted int `json:"notAttempted"`
}

// Listed returns the number of images that were, or may have been, removed.
func (t Totals) Listed() int {
	return t.Deleted + t.Archived + t.TagsRemoved + t.Unconfirmed + t.Unknown
}

// counts returns the counts by outcome, without Unconfirmed.
func (t *Totals) counts() map[string]*int {
	return map[string]*int{
		"deleted": &t.Deleted, "archived": &t.Archived, "untagged": &t.TagsRemoved, "unknown": &t.Unknown,
		"blocked": &t.Blocked, "changed": &t.Changed, "gone": &t.Gone, "failed": &t.Failed,
		"not attempted": &t.NotAttempted,
	}
}

func (t *Totals) add(more Totals) {
	t.Unconfirmed += more.Unconfirmed
	counts := t.counts()
	for outcome, n := range more.counts() {
		*counts[outcome] += *n
	}
}

// Lines are numbers of log lines, without blank lines.
type Lines struct {
	Read   int `json:"read"`   // of the function or the tool
	Others int `json:"others"` // all other lines
	// Unreadable counts the texts that look like a line about an image and cannot be read.
	// The audit lacks these images.
	Unreadable int     `json:"unreadable"`
	Faults     []Fault `json:"faults,omitempty"` // the first MaxFaults unreadable lines
}

// MaxFaults is the largest number of faults in [Lines].
const MaxFaults = 10

// A Fault is an unreadable line.
type Fault struct {
	Line    int    `json:"line"` // from 1
	Message string `json:"message"`
}

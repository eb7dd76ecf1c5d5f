package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
)

// The messages of the lines of a run.
const (
	msgIntent     = "intent"
	msgImage      = "image"
	msgImages     = "images"
	msgRepository = "repository"
	msgFinding    = "finding"
	msgPanic      = "panic"
	msgRun        = "run"
	msgMetrics    = "metrics"
)

// The messages of the lines that are written before a run begins.
const (
	msgSuspicious    = "suspicious"
	msgNotConsidered = "plan does not consider all of the configuration"
)

// An entry is a line of a run.
type entry struct {
	Time        instant `json:"time"`
	RunID       string  `json:"run_id"`
	Repository  string  `json:"repository"`
	Policy      string  `json:"policy"`
	Digest      string  `json:"digest"`
	Tags        string  `json:"tags"`
	PushedAt    instant `json:"pushed_at"`
	Size        integer `json:"size_in_bytes"`
	Verdict     string  `json:"verdict"`
	Rule        integer `json:"rule_priority"`
	Reason      string  `json:"reason"`
	Untag       string  `json:"untag"`
	Outcome     string  `json:"outcome"`
	Unconfirmed bool    `json:"unconfirmed"`
	Message     string  `json:"message"`
	// Fields of lines that are written before a run begins.
	Document string   `json:"document"`
	Problem  string   `json:"problem"`
	Fields   []string `json:"fields"`
}

// An instant is zero when the log could not write it: that is no reason to lose
// the image.
type instant struct{ time.Time }

func (i *instant) UnmarshalJSON(text []byte) error {
	if i.Time.UnmarshalJSON(text) != nil {
		i.Time = time.Time{}
	}
	return nil
}

// An integer is a JSON number with an integral value, such as 10 or 1e1. Programs that
// pass a log on may spell its numbers anew.
type integer int64

func (i *integer) UnmarshalJSON(text []byte) error {
	number, ok := decimal.Parse(string(text))
	n, fits := number.Int()
	switch {
	case string(text) == "null":
		return nil
	case !ok || !fits:
		return fmt.Errorf("%s is not an integer", text)
	}
	*i = integer(n)
	return nil
}

// entry takes note of a line with that message, and reports whether it is a
// line of a run.
func (t *tally) entry(msg, object json.RawMessage) (ours bool) {
	var message string
	if json.Unmarshal(msg, &message) != nil {
		return false
	}
	var e entry
	err := json.Unmarshal(object, &e)
	switch message {
	case msgIntent, msgImage:
		if err == nil {
			err = t.image(message, &e)
		}
		if err != nil {
			t.fault(fmt.Errorf("looks like a line of a run: %w", err))
		}
		return err == nil
	case msgImages, msgRepository, msgFinding, msgPanic, msgRun, msgMetrics:
		return err == nil && e.RunID != "" && t.event(message, e.RunID)
	case msgSuspicious:
		return err == nil && e.Document != "" && e.Problem != ""
	case msgNotConsidered:
		return err == nil && len(e.Fields) > 0
	}
	return false
}

// event takes note of a line that does not give the outcome of an image.
func (t *tally) event(message, runID string) (ours bool) {
	if run := t.run(runID); run != nil && message == msgRun {
		run.Finished = true
	}
	return true
}

func (e *entry) image() Image {
	return Image{
		RunID: e.RunID, Time: e.Time.Time, Repository: e.Repository, Policy: e.Policy, ImageDigest: e.Digest,
		ImageTags: append([]string{}, strings.Fields(e.Tags)...), ImagePushedAt: e.PushedAt.Time, ImageSizeInBytes: int64(e.Size),
		Verdict: e.Verdict, AppliedRulePriority: int(e.Rule), Reason: e.Reason, Untag: strings.Fields(e.Untag),
		Outcome: e.Outcome, Message: e.Message,
	}
}

package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
)

// The messages of the lines about an image.
const (
	msgIntent = "intent"
	msgImage  = "image"
)

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
	// Lines before the begin of a run have these.
	Document string   `json:"document"`
	Problem  string   `json:"problem"`
	Fields   []string `json:"fields"`
}

// An instant is zero if the log has no valid time; the image still counts.
type instant struct{ time.Time }

func (i *instant) UnmarshalJSON(text []byte) error {
	if i.Time.UnmarshalJSON(text) != nil {
		i.Time = time.Time{}
	}
	return nil
}

// An integer may be written as 1e1, because programs that forward a log rewrite numbers.
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

// entry records a line, and reports whether it is one of the function or the tool.
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
	case "images", "repository", "finding", "panic", "run", "metrics":
		if err != nil || e.RunID == "" {
			return false
		}
		if run := t.run(e.RunID); run != nil && message == "run" {
			run.finish(object)
		}
		return true
	case "suspicious":
		return err == nil && e.Document != "" && e.Problem != ""
	case "plan does not consider all of the configuration":
		return err == nil && len(e.Fields) > 0
	}
	return false
}

// finish records the last line of the run. Lines of old versions lack members.
func (r *Run) finish(line json.RawMessage) {
	r.Finished = true
	var end End
	if json.Unmarshal(line, &end) == nil && end.Totals != nil {
		r.End = &end
	}
}

func (e *entry) image() Image {
	return Image{
		RunID: e.RunID, Time: e.Time.Time, Repository: e.Repository, Policy: e.Policy, ImageDigest: e.Digest,
		ImageTags: append([]string{}, strings.Fields(e.Tags)...), ImagePushedAt: e.PushedAt.Time, ImageSizeInBytes: int64(e.Size),
		Verdict: e.Verdict, AppliedRulePriority: int(e.Rule), Reason: e.Reason, Untag: strings.Fields(e.Untag),
		Outcome: e.Outcome, Message: e.Message,
	}
}

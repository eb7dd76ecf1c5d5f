package audit

import (
	"errors"
	"fmt"
	"slices"
)

// A tally is an audit in the making.
type tally struct {
	only   string // this run, unless empty
	number int    // of the line that is read
	lines  Lines
	runs   []*Run
	byID   map[string]*Run
	open   map[key]intent
	// intents counts all of them, for their order.
	intents int
}

// A key is what intent and outcome of an image have in common.
type key struct{ run, repository, digest string }

type intent struct {
	Image
	number int
}

func newTally(only string) *tally {
	return &tally{only: only, byID: map[string]*Run{}, open: map[key]intent{}}
}

func (t *tally) fault(err error) {
	t.lines.Unreadable++
	if len(t.lines.Faults) < MaxFaults {
		t.lines.Faults = append(t.lines.Faults, Fault{t.number, err.Error()})
	}
}

// run returns the run, or nil when it is left out.
func (t *tally) run(id string) *Run {
	if t.only != "" && id != t.only {
		return nil
	}
	run, known := t.byID[id]
	if !known {
		run = &Run{ID: id, Removed: []Image{}, Unconfirmed: []Image{}, Unknown: []Image{}}
		t.byID[id], t.runs = run, append(t.runs, run)
	}
	return run
}

// image takes note of an intent or an outcome. An image without an outcome is of
// a run that only planned.
func (t *tally) image(message string, e *entry) error {
	if e.Repository == "" || e.Digest == "" {
		return errors.New("it names no image")
	}
	run := t.run(e.RunID)
	if run == nil {
		return nil
	}
	k := key{e.RunID, e.Repository, e.Digest}
	if message == msgIntent {
		e.Outcome = ""
		t.intents++
		t.open[k] = intent{e.image(), t.intents}
		return nil
	}
	if !run.settle(e) {
		return fmt.Errorf("it has the outcome %q, which this version does not know", e.Outcome)
	}
	if e.Outcome != "" {
		delete(t.open, k)
	}
	return nil
}

// outcomeUnknown is the outcome of an image that may have been removed. Logs of older
// versions have the outcome failed with unconfirmed true instead.
const outcomeUnknown = "unknown"

// settle puts an outcome where it belongs and reports whether it is known.
func (r *Run) settle(e *entry) bool {
	removed, stayed := r.Totals.counts(e.Outcome)
	switch {
	case e.Outcome == "":
	case removed != nil && e.Unconfirmed:
		r.Unconfirmed = append(r.Unconfirmed, e.image())
		r.Totals.Unconfirmed++
	case removed != nil:
		r.Removed = append(r.Removed, e.image())
		*removed++
	case e.Outcome == outcomeUnknown, stayed != nil && e.Unconfirmed:
		r.Unknown = append(r.Unknown, e.image())
		r.Totals.Unknown++
	case stayed != nil:
		*stayed++
	default:
		return false
	}
	return true
}

// counts returns the count for an outcome: one of those of what is removed, or
// one of those of what is not.
func (t *Totals) counts(outcome string) (removed, stayed *int) {
	switch outcome {
	case "deleted":
		return &t.Deleted, nil
	case "archived":
		return &t.Archived, nil
	case "untagged":
		return &t.TagsRemoved, nil
	case "blocked":
		return nil, &t.Blocked
	case "changed":
		return nil, &t.Changed
	case "gone":
		return nil, &t.Gone
	case "failed":
		return nil, &t.Failed
	case "not attempted":
		return nil, &t.NotAttempted
	}
	return nil, nil
}

// audit ends the reading: intents that are open now stay so.
func (t *tally) audit() Audit {
	open := make([]intent, 0, len(t.open))
	for _, i := range t.open {
		open = append(open, i)
	}
	slices.SortFunc(open, func(a, b intent) int { return a.number - b.number })
	for _, i := range open {
		run := t.byID[i.RunID]
		run.Unknown = append(run.Unknown, i.Image)
		run.Totals.Unknown++
	}
	a := Audit{Runs: make([]Run, len(t.runs)), Lines: t.lines}
	for i, run := range t.runs {
		a.Runs[i] = *run
		a.Totals.add(run.Totals)
	}
	return a
}

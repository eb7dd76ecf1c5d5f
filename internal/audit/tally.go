package audit

import (
	"errors"
	"fmt"
	"slices"
)

type tally struct {
	only    string // the ID of the only run that counts, or ""
	number  int    // of the current line
	lines   Lines
	runs    []*Run
	byID    map[string]*Run
	open    map[key]intent
	intents int // the number of intents so far
}

// A key identifies the intent that an outcome belongs to.
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

// run returns the run with this ID, or nil if the audit ignores it.
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

// image records an intent or an outcome. A run that only plans writes images without an
// outcome.
func (t *tally) image(message string, e *entry) error {
	if e.Repository == "" || e.Digest == "" {
		return errors.New("it has no repository or no digest")
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
		return fmt.Errorf("it has the unknown outcome %q; update ecrclean", e.Outcome)
	}
	if e.Outcome != "" {
		delete(t.open, k)
	}
	return nil
}

// settle counts an outcome, and reports whether this version knows it. Logs of older
// versions have the outcome failed with unconfirmed true instead of unknown.
func (r *Run) settle(e *entry) bool {
	removed, kept := r.Totals.counts(e.Outcome)
	switch {
	case e.Outcome == "":
	case removed != nil && e.Unconfirmed:
		r.Unconfirmed = append(r.Unconfirmed, e.image())
		r.Totals.Unconfirmed++
	case removed != nil:
		r.Removed = append(r.Removed, e.image())
		*removed++
	case e.Outcome == "unknown", kept != nil && e.Unconfirmed:
		r.Unknown = append(r.Unknown, e.image())
		r.Totals.Unknown++
	case kept != nil:
		*kept++
	default:
		return false
	}
	return true
}

// counts returns the count of an outcome, as that of a removed image or of another one.
func (t *Totals) counts(outcome string) (removed, kept *int) {
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

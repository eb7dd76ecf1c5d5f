package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

type tally struct {
	only    string // see Read
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

func (t *tally) fault(err error) {
	t.lines.Unreadable++
	if len(t.lines.Faults) < MaxFaults {
		t.lines.Faults = append(t.lines.Faults, Fault{t.number, err.Error()})
	}
}

// run returns the run with this ID, or nil if the audit ignores it.
func (t *tally) run(id string) *Run {
	if t.only != Last && !strings.HasPrefix(id, t.only) {
		return nil
	}
	run, known := t.byID[id]
	if !known {
		run = &Run{ID: id, Removed: []Image{}, Unconfirmed: []Image{}, Unknown: []Image{}}
		t.byID[id], t.runs = run, append(t.runs, run)
	}
	return run
}

// image records an intent or an outcome.
func (t *tally) image(message string, e *entry) error {
	if e.Repository == "" || e.Digest == "" {
		return errors.New("it has no repository or no digest")
	}
	run := t.run(e.RunID)
	if run == nil {
		return nil
	}
	switch k := (key{e.RunID, e.Repository, e.Digest}); {
	case message == msgIntent:
		e.Outcome = ""
		t.intents++
		t.open[k] = intent{e.image(), t.intents}
	case e.Outcome == "": // of a run that only plans
	case !run.settle(e):
		return fmt.Errorf("it has the unknown outcome %q; update ecrclean", e.Outcome)
	default:
		delete(t.open, k)
	}
	return nil
}

// settle counts an outcome, and reports whether this version knows it. Logs of older
// versions have the outcome failed with unconfirmed true instead of unknown.
func (r *Run) settle(e *entry) bool {
	count, known := r.Totals.counts()[e.Outcome]
	if !known {
		return false
	}
	switch removed := slices.Contains([]string{"deleted", "archived", "untagged"}, e.Outcome); {
	case removed && e.Unconfirmed:
		count = &r.Totals.Unconfirmed
		r.Unconfirmed = append(r.Unconfirmed, e.image())
	case removed:
		r.Removed = append(r.Removed, e.image())
	case e.Unconfirmed, e.Outcome == "unknown":
		count = &r.Totals.Unknown
		r.Unknown = append(r.Unknown, e.image())
	}
	*count++
	return true
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
	runs := t.runs
	if whole, exists := t.byID[t.only]; exists && t.only != "" {
		runs = []*Run{whole}
	} else if t.only == Last {
		runs = runs[max(0, len(runs)-1):]
	}
	a := Audit{Runs: make([]Run, len(runs)), Lines: t.lines}
	for i, run := range runs {
		a.Runs[i] = *run
		a.Totals.add(run.Totals)
	}
	return a
}

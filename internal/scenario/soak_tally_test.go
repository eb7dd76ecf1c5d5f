package scenario_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A tally counts events of the soak, to show that the soak tries what it promises.
type tally struct {
	runs, faults, removed, lost, unhandled, ended, unlisted, same int
	// times counts events by name.
	times map[string]int
}

func (n *tally) note(what string) {
	if n.times == nil {
		n.times = map[string]int{}
	}
	n.times[what]++
}

func (n *tally) add(o *tally) {
	n.runs += o.runs
	n.faults += o.faults
	n.removed += o.removed
	n.lost += o.lost
	n.unhandled += o.unhandled
	n.ended += o.ended
	n.unlisted += o.unlisted
	n.same += o.same
	for what, times := range o.times {
		n.note(what)
		n.times[what] += times - 1
	}
}

// enough checks that every kind of event happened.
func (n *tally) enough(t *testing.T) {
	t.Helper()
	for what, times := range map[string]int{
		"faults": n.faults, "removals": n.removed, "lost answers": n.lost, "runs with something left": n.unhandled,
		"runs that were ended": n.ended, "runs without a listing": n.unlisted, "states compared": n.same,
		"lines that were cut": n.times["cut"], "runs that a deadline ended": n.times["deadline"],
	} {
		if times < n.runs/200 {
			t.Errorf("%d runs and only %d %s", n.runs, times, what)
		}
	}
	for _, what := range n.wanted() {
		if n.times[what] == 0 {
			t.Errorf("%d runs without %s", n.runs, what)
		}
	}
	if few := testing.Short() || awstest.Race; !few && n.runs < 2_000 {
		t.Errorf("only %d runs", n.runs)
	}
}

// wanted returns the names of the events that must happen: every kind of fault, outcome
// and audit line and, if there are enough runs, every failure code of an image.
func (n *tally) wanted() []string {
	names := []string{"fault: " + string(fakeecr.ShortPage), "fault: rate", "audit: removed", "audit: unconfirmed", "audit: unknown"}
	for _, kind := range faultKinds {
		names = append(names, "fault: "+string(kind))
	}
	for _, o := range []plan.Outcome{
		plan.Deleted, plan.MovedToArchive, plan.Blocked, plan.Gone, plan.Failed, plan.Unknown, plan.NotAttempted,
	} {
		names = append(names, "outcome: "+string(o))
	}
	if testing.Short() || awstest.Race {
		return names
	}
	for _, code := range fakeecr.ImageFailureCodes {
		names = append(names, "code: "+code)
	}
	return append(names, "outcome: "+string(plan.Untagged))
}

package hostile_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A tally counts the events, faults and outcomes of trials. The test fails when one
// kind never occurred.
type tally struct {
	times map[string]int
	seeds map[string]uint64 // the first of each kind of violation
}

func (n *tally) note(what string) { n.add(what, 1) }

func (n *tally) add(what string, times int) {
	if n.times == nil {
		n.times = map[string]int{}
	}
	n.times[what] += times
}

func (n *tally) addAll(o *tally) {
	for what, times := range o.times {
		n.add(what, times)
	}
	for what, seed := range o.seeds {
		n.first(what, seed)
	}
}

// details matches the text that differs between violations of one kind.
var details = regexp.MustCompile(`sha256:[0-9a-f]+|[0-9][0-9.smh]*|\[.*\]|\(.*\)`)

// survey counts the violations of a trial by kind.
func (n *tally) survey(f *fixture) {
	for _, fault := range f.faults {
		kind := "VIOLATION: " + details.ReplaceAllString(fault, "")
		n.note(kind)
		n.first(kind, f.seed)
	}
}

func (n *tally) first(what string, seed uint64) {
	if n.seeds == nil {
		n.seeds = map[string]uint64{}
	}
	if known, ok := n.seeds[what]; !ok || seed < known {
		n.seeds[what] = seed
	}
}

func (n *tally) String() string {
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(n.times)) {
		line := fmt.Sprintf("%8d %s", n.times[what], what)
		if seed, ok := n.seeds[what]; ok {
			line += fmt.Sprintf(" (first seed %d)", seed)
		}
		lines = append(lines, line)
	}
	return "\n" + strings.Join(lines, "\n")
}

// enough checks that every kind occurred in that many registries.
func (n *tally) enough(t *testing.T, registries int) {
	t.Helper()
	least := map[string]int{"removing calls": 3, "removed in calm runs": 80, "outcome: deleted": 5, "outcome: changed": 100, "outcome: blocked": 500}
	for what, each := range least {
		if n.times[what] < registries/each {
			t.Errorf("%d registries and only %d %s", registries, n.times[what], what)
		}
	}
	if registries < 5_000 {
		return
	}
	wanted := []string{"event: tag in use moves", "event: index pulled", "event: pulled during the scan", "event: repository deleted"}
	for _, e := range events {
		wanted = append(wanted, "event: "+e.name)
	}
	for _, kind := range []string{
		"throttled", "denied", "server error", "reset", "lost answer", "late work", "slow request", "slow answer", "refused image", "unread image",
		"source fails", "source is slow", "source names nothing", "source panics", "log stall",
	} {
		wanted = append(wanted, "fault: "+kind)
	}
	wanted = append(wanted, "removed: named by a finding", "removed: used by a source that does not count", "removed: used by an idle family",
		"removes while a source that it does not rely upon has failed",
		"filtered: deleted", "filtered: follows", "filtered: tags removed", "named: tags removed")
	for _, scans := range []string{"all", "first", "later"} {
		wanted = append(wanted, "fault: elsewhere, scans: "+scans)
	}
	for i := range admissions {
		wanted = append(wanted, "policy: "+admissions[i].name)
	}
	wanted = append(wanted, "removes though an account that may not use it has failed", "calm, though an account failed")
	for _, what := range []string{"the registry ends", "killed and begun again", "continued", "partial repositories"} {
		wanted = append(wanted, "rounds: "+what)
	}
	for _, kind := range overridable {
		wanted = append(wanted, "overridden: "+kind)
	}
	for _, kind := range []useKind{"an image", ofAllImages, ofAnywhere, byFamily, byPath, aFinding} {
		wanted = append(wanted, "use: "+string(kind))
	}
	for _, kind := range []string{"archived", "untagged", "gone", "failed", "unknown"} {
		wanted = append(wanted, "outcome: "+kind)
	}
	for _, kind := range []string{"inUse", "tagPatterns", "keepNewest", "pulledWithinDays", "pushedWithinHours", "child", "subject", "orphan"} {
		wanted = append(wanted, "protected: "+kind)
	}
	for _, what := range wanted {
		if n.times[what] == 0 {
			t.Errorf("%d registries without %s", registries, what)
		}
	}
}

package fleet

import (
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A Verdict is the outcome of a target or a place in the report of the fleet.
type Verdict string

// Each target has exactly one of them.
const (
	Done    Verdict = "done"
	Omitted Verdict = "skipped"
	Failed  Verdict = "failed"
)

// Version changes if a field of the report is removed or changes its meaning.
const Version = 1

// A Report is the judge's report on an execution.
type Report struct {
	Version       int         `json:"version"`
	Execution     string      `json:"execution"`
	Mode          config.Mode `json:"mode"`
	Start         time.Time   `json:"start"`
	End           time.Time   `json:"end"`
	Configuration string      `json:"configuration"`
	// Handled is true if no target and no place has failed.
	Handled bool `json:"handled"`
	// Expected is the number of targets, and the sum of the next three.
	Expected int           `json:"expected"`
	Done     int           `json:"done"`
	Skipped  int           `json:"skipped"`
	Failed   int           `json:"failed"`
	Totals   report.Totals `json:"totals"`
	Targets  []TargetEnd   `json:"targets"` // by account and Region
	Places   []PlaceEnd    `json:"places"`  // those that were to be asked
	// Message says why Handled is false, in one line.
	Message string `json:"message,omitempty"`
}

// A TargetEnd is how one target ended. A skipped account has no Region.
type TargetEnd struct {
	Account string         `json:"account"`
	Region  string         `json:"region,omitempty"`
	Outcome Verdict        `json:"outcome"`
	Message string         `json:"message,omitempty"`
	Rounds  int            `json:"rounds"`
	Totals  *report.Totals `json:"totals,omitempty"`
	Undone  map[string]int `json:"undone,omitempty"`
	Calls   map[string]int `json:"calls,omitempty"`
	Reports []string       `json:"reports,omitempty"`
}

// A PlaceEnd is how the newest in-use scan of one place ended.
type PlaceEnd struct {
	Account string  `json:"account"`
	Region  string  `json:"region,omitempty"`
	Outcome Verdict `json:"outcome"`
	Message string  `json:"message,omitempty"`
	// Findings are those of its in-use sources.
	Findings []string `json:"findings,omitempty"`
}

package fleet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	records "github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// fleetOf returns a report of n targets, of which the last is skipped and the one before it failed.
func fleetOf(n int) *records.Report {
	r := &records.Report{Version: 1, Execution: "e", Mode: config.Plan, Expected: n, Handled: n == 0, Message: "1 failed"}
	for i := range n {
		t := records.TargetEnd{Account: fmt.Sprintf("%012d", i), Region: "ap-southeast-1", Outcome: records.Done}
		t.Totals = &report.Totals{Repositories: 1234}
		t.Totals.Evaluated, t.Totals.Expired, t.Totals.ReclaimableBytes = 10_000_000, i, 1e12
		switch i {
		case n - 1:
			t.Outcome, t.Totals, t.Message = records.Omitted, nil, "SUSPENDED"
			r.Skipped++
		case n - 2:
			t.Outcome, t.Message = records.Failed, "denied; do this"
			r.Failed++
		default:
			r.Done++
		}
		r.Targets = append(r.Targets, t)
	}
	return r
}

func TestTheScreenHasTheMostImportantOfManyTargets(t *testing.T) {
	t.Parallel()
	for n, lines := range map[int]int{0: 3, 1: 4, 40: 46, 4000: 28} {
		screen := Screen(fleetOf(n), terminal.Terminal{Width: 80}, false)
		awstest.Equal(t, fmt.Sprint("lines of ", n), lines, strings.Count(screen, "\n"))
		for line := range strings.SplitSeq(screen, "\n") {
			if text.Width(line) > 80 {
				t.Errorf("a line of %d columns: %s", text.Width(line), line)
			}
		}
		if n > 1 {
			awstest.Contains(t, screen, fmt.Sprintf("failed: %012d/ap-southeast-1: denied; do this", n-2),
				fmt.Sprintf("skipped: %012d/ap-southeast-1: SUSPENDED", n-1))
		}
	}
	screen := Screen(fleetOf(4000), terminal.Terminal{}, false)
	awstest.Contains(t, screen, "000000003998", "(the 20 largest; 3979 more targets: -o wide or -o json shows all)")
	awstest.Equal(t, "lines of -o wide", 4000+6, strings.Count(Screen(fleetOf(4000), terminal.Terminal{}, true), "\n"))
}

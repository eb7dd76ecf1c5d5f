package removal

import (
	"fmt"

	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/render"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// ask shows a plan and asks whether to apply it. The plan goes to the standard error
// stream, because the standard output is for the report of the run.
func (r *removal) ask(plan *cleaner.Report) (agreed bool, err error) {
	if _, err := fmt.Fprint(r.Stderr, render.Report(plan)); err != nil {
		return false, exit.Failuref("%w", err)
	}
	removals, _ := plan.Removals()
	if removals == 0 {
		fmt.Fprintln(r.Stderr, "Nothing to remove.")
		plan.Mode = config.Apply // in this mode a repository that a limit skips makes the run incomplete
		return false, r.status(plan)
	}
	return r.Confirm(question(plan, removals), "Nothing was removed.", "give --yes to apply without asking")
}

// question returns the question whether to apply a plan. The plan must have all its
// images.
func question(plan *cleaner.Report, removals int) string {
	archives, untags := 0, 0
	for i := range plan.Repositories {
		r := &plan.Repositories[i]
		if r.Skipped != "" {
			continue
		}
		for j := range r.Images {
			switch im := &r.Images[j]; {
			case len(im.ProtectedBy) > 0:
			case im.Verdict == evaluator.Untag:
				untags++
			case im.Archives():
				archives++
			}
		}
	}
	deletes := removals - archives - untags
	var actions []string
	for _, action := range []struct {
		verb   string
		images int
	}{{"delete", deletes}, {"archive", archives}, {"remove tags from", untags}} {
		if action.images > 0 {
			actions = append(actions, action.verb+" "+text.Count(action.images, "image"))
		}
	}
	warning := ""
	if deletes > 0 {
		warning = " A deleted image cannot be restored."
	}
	return fmt.Sprintf("In account %s in %s, %s?%s", plan.Account, plan.Region, english.WordSeries(actions, "and"), warning)
}

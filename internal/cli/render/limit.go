package render

import (
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// LimitFlag returns the flag of plan and apply that lets a repository go that a limit skips,
// or "". Another limit may still skip it then. A report on a saved plan does not count what
// that plan skipped, so it names no flag.
func LimitFlag(r *report.Report, repository *report.Repository) string {
	removals := repository.Removals()
	switch limit := repository.Message; {
	case repository.Skipped != plan.SkipLimit || removals == 0:
		return ""
	case strings.Contains(limit, "maxDeletionsPerRepository"):
		return fmt.Sprintf("--max-deletions-per-repository %d", removals)
	case strings.Contains(limit, "maxDeletedPercent"):
		percent := (removals*100 + repository.Evaluated - 1) / max(repository.Evaluated, 1) // rounded up
		return fmt.Sprintf("--max-deleted-percent %d", percent)
	}
	others, _ := r.Removals()
	return fmt.Sprintf("--max-deletions %d", others+removals)
}

// WhySkipped says why a repository is skipped, and for a limit which flag raises it.
func WhySkipped(r *report.Report, repository *report.Repository) string {
	if flag := LimitFlag(r, repository); flag != "" {
		return repository.Message + "; raise it with " + flag
	}
	return repository.Message
}

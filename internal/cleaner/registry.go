package cleaner

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Findings returns the findings about the registry. Call it after ReadAttached.
func (r *Runner) Findings(ctx context.Context, assignments []Assignment) []finding.Finding {
	names := make([]string, len(assignments))
	for i, a := range assignments {
		names[i] = a.Repository
	}
	return registrystate.Findings(ctx, r.RegistryState, names, names)
}

// namesOf returns the names of all repositories in the report, and of those in which the
// run removes or would remove images.
func namesOf(result *report.Report) (all, removedFrom []string) {
	for i := range result.Repositories {
		repository := &result.Repositories[i]
		n := repository.Deleted + repository.Archived + repository.TagsRemoved
		if result.Mode == config.Plan && repository.Skipped == "" {
			n = repository.Removals()
		}
		if all = append(all, repository.Name); n > 0 {
			removedFrom = append(removedFrom, repository.Name)
		}
	}
	return all, removedFrom
}

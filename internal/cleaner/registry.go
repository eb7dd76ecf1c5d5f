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
	return registrystate.Of(ctx, r.RegistryState).Findings(ctx, names, names)
}

// namesOf returns the names of all repositories in the report, and of those in which the
// run removes or would remove images.
func namesOf(result *report.Report) (all, removedFrom []string) {
	for i := range result.Repositories {
		repository := &result.Repositories[i]
		if all = append(all, repository.Name); removesFrom(repository, result.Mode) {
			removedFrom = append(removedFrom, repository.Name)
		}
	}
	return all, removedFrom
}

func removesFrom(repository *report.Repository, mode config.Mode) bool {
	if mode == config.Plan {
		return repository.Skipped == "" && repository.Removals() > 0
	}
	return repository.Deleted+repository.Archived+repository.TagsRemoved > 0
}

package cleaner

import (
	"context"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A listing is the list of the registry's repositories at the start of a run.
type listing struct {
	account   string            // empty if there are no repositories
	selected  []plan.Repository // the repositories of the run
	names     map[string]bool   // of all repositories that are known
	selection *selected.Selection
}

func (r *Runner) list(ctx context.Context) (listing, error) {
	all := listing{names: map[string]bool{}, selection: selected.New(r.Config.Repositories)}
	for repository, err := range plan.Listed(ctx, r.Registry, all.selection) {
		if err != nil {
			return listing{}, err
		}
		all.account, all.names[repository.Name] = repository.RegistryID, true
		if all.selection.Select(repository.Name) && r.inSavedPlan(repository.Name) {
			all.selected = append(all.selected, repository)
		}
	}
	return all, r.checkAccount(all.account)
}

// checkAccount returns an error if the registry is of another account than Account.
func (r *Runner) checkAccount(listed string) error {
	if r.Account == "" || listed == "" || listed == r.Account {
		return nil
	}
	return fmt.Errorf("the registry must be of account %s, and these credentials are for account %s; "+
		"use credentials of account %s", r.Account, listed, r.Account)
}

package attach

import (
	"context"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// Missing returns why the configuration cannot stand in for that of the adoption:
// the first repository that is to be adopted and that it gives another policy,
// or none. It returns "" if it holds all of the adopted policies; what else it
// holds, and which settings, plays no part.
func (p Planner) Missing(ctx context.Context, a *Adoption, from *config.Config) string {
	for i := range a.Plan.Repositories {
		r := &a.Plan.Repositories[i]
		if r.Change != Detach {
			continue
		}
		e, err := cleaner.EntryFor(ctx, p.Runner.Registry, from, r.listed)
		switch {
		case err != nil:
			return fmt.Sprintf("what it gives %s is not known: %s", r.Name, err)
		case e == nil || e.Source != config.Inline || !from.Repositories.Select(r.Name),
			canonical(e.Policy) != canonical(r.Before.Policy):
			return fmt.Sprintf("it does not give %s the attached policy", r.Name)
		}
	}
	return ""
}

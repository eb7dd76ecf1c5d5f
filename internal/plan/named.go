package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// PlanNamed plans the removal of images that a person named, each by digest or by tag,
// with the protection of the entry. A named orphan may be removed. If no listed image
// has a name, or several have it, the result is an error.
func (p Planner) PlanNamed(ctx context.Context, repository string, entry *config.Entry, names []string) (Plan, error) {
	plan := Plan{Repository: repository, Entry: entry}
	p.Scanner.Rely(ctx, sourcesOf(entry.Protect))
	c, err := p.contents(ctx, repository)
	if err != nil {
		return plan, err
	}
	wanted := make([]*request, len(c.images))
	var unknown []string
	for _, name := range names {
		i, err := c.one(name)
		if errors.Is(err, errUnknownName) {
			unknown = append(unknown, name)
			continue
		}
		if err != nil {
			return plan, err
		}
		wanted[i] = &request{action: evaluator.Expire, reason: fmt.Sprintf("named by a person as %s", name)}
	}
	if again := p.released != nil; len(unknown) > 0 && !again { // by then some are removed
		return plan, fmt.Errorf("repository %s has no image with the digest or tag %s; nothing was removed",
			repository, strings.Join(unknown, ", "))
	}
	settings := entry.Settings
	settings.Orphans, settings.OnExpire = config.DeleteOrphans, config.DeleteExpired
	return plan, p.settle(ctx, &plan, c, wanted, settings)
}

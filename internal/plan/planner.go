package plan

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// A Planner makes the plans of repositories. It is safe for concurrent use.
type Planner struct {
	Registry Registry
	Now      time.Time      // the time at which policies are evaluated
	OwnPulls *OwnPullsOnce  // used after a read of a manifest; nil if ECR records these reads
	Scanner  *usage.Scanner // nil without in-use sources
	// Reserve waits until the memory budget allows more listed images; it may be nil.
	Reserve func(images int)
	reads   map[string]ownRead // the cleaner's earlier reads, by digest
	// released are the reasons of images that follow already removed ones, by digest. It is
	// nil in the first plan of a repository.
	released map[string]string
}

// After returns the planner for a new plan after the plan before was applied in part.
func (p Planner) After(before *Plan) Planner {
	p.released, p.reads = before.released(), readsOf(before.Open())
	return p
}

// AfterReads returns the planner for a new plan after one with these images was not applied.
func (p Planner) AfterReads(images []*Image) Planner {
	p.reads = readsOf(images)
	return p
}

// Plan evaluates the policy of the entry. The plan has a Skip if the entry is nil, or if
// its policy is none, missing or invalid. After an error the plan is not valid, because
// the repository could not be read completely.
func (p Planner) Plan(ctx context.Context, repository string, entry *config.Entry) (Plan, error) {
	plan := Plan{Repository: repository, Entry: entry}
	policy, skip, err := PolicyFor(ctx, p.Registry, repository, entry)
	plan.Attached = entry != nil && entry.Source == config.Attached && isAttached(skip, err)
	if err != nil || skip != nil {
		plan.Skip = skip
		return plan, err
	}
	p.Scanner.Rely(ctx, sourcesOf(entry.Protect))
	c, err := p.contents(ctx, repository)
	if err != nil {
		return plan, err
	}
	return plan, c.evaluate(ctx, &plan, policy)
}

// PlanNamed plans the deletion of images by digest or tag, under the protection of the
// entry. Orphans may be deleted. It returns an error if a name does not mean exactly one
// listed image.
func (p Planner) PlanNamed(ctx context.Context, repository string, entry *config.Entry, names []string) (Plan, error) {
	plan := Plan{Repository: repository, Entry: entry}
	p.Scanner.Rely(ctx, sourcesOf(entry.Protect))
	c, err := p.contents(ctx, repository)
	if err != nil {
		return plan, err
	}
	requests := make([]*request, len(c.images))
	var unknown []string
	for _, name := range names {
		switch i, listed, err := c.find(name); {
		case err != nil:
			return plan, err
		case !listed:
			unknown = append(unknown, name)
		default:
			requests[i] = &request{action: evaluator.Expire, reason: "named by a person as " + name}
		}
	}
	if first := p.released == nil; first && len(unknown) > 0 { // later the run has deleted some of them
		return plan, fmt.Errorf("repository %s has no image with the digest or tag %s; nothing was removed",
			repository, strings.Join(unknown, ", "))
	}
	return plan, c.decide(ctx, &plan, requests, true)
}

func (c *contents) evaluate(ctx context.Context, plan *Plan, policy lifecycle.Policy) error {
	c.attachedVerdicts = c.evaluateAttached(ctx, plan, policy)
	err := c.decide(ctx, plan, c.requests(policy, plan.Entry.OnExpire), plan.Entry.Orphans == config.DeleteOrphans)
	plan.KeptByOwnPulls += c.unmarkedByOwnPulls(policy)
	if !plan.Attached && !c.attachedRead && plan.Removals() > 0 && len(sourcesOf(plan.Entry.Protect)) > 0 {
		c.readAttached(ctx, plan) // ECR would not apply the protection of the entry
	}
	return err
}

// PolicyFor returns the policy of the entry, or a Skip if there is none.
func PolicyFor(ctx context.Context, registry Registry, repository string, entry *config.Entry) (lifecycle.Policy, *Skip, error) {
	if entry == nil {
		return lifecycle.Policy{}, &Skip{SkipNotConfigured, "no entry of the configuration selects it"}, nil
	}
	switch entry.Source {
	case config.Inline:
		return entry.Policy, nil, nil
	case config.Attached:
		return attachedPolicy(ctx, registry, repository)
	case config.None:
	}
	return lifecycle.Policy{}, &Skip{SkipNone, fmt.Sprintf("entry %q has the policy none", entry.Name)}, nil
}

package plan

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// An Explanation says why an image is kept or removed.
type Explanation struct {
	Repository string
	Entry      *config.Entry
	Image      evaluator.Image
	Skip       *Skip // why no policy is evaluated in the repository, or nil
	// Verdict and Steps, one per rule by ascending priority, are zero without a policy.
	Verdict     evaluator.Verdict
	Steps       []evaluator.Step
	Planned     *Image       // the image in the plan, or nil
	ProtectedBy []Protection // set even if the policy keeps the image
}

// Explain plans a repository and explains images of it by digest, the beginning of one, or tag.
// It returns an error if a name does not mean exactly one listed image.
func (p Planner) Explain(ctx context.Context, conf *config.Config, repository Repository, names []string) (Plan, []Explanation, error) {
	entry, err := EntryFor(ctx, p.Registry, conf, repository)
	plan := Plan{Repository: repository.Name, Entry: entry}
	if err != nil {
		return plan, nil, err
	}
	c, err := p.contents(ctx, repository.Name)
	if err != nil {
		return plan, nil, err
	}
	positions, err := c.listing.FindAll(names, false)
	if err != nil {
		return plan, nil, err
	}
	policy, skip, err := PolicyFor(ctx, p.Registry, repository.Name, entry)
	if err != nil {
		return plan, nil, err
	}
	plan.Attached = entry != nil && entry.Source == config.Attached && isAttached(skip, nil)
	if !conf.Repositories.Select(repository.Name) {
		skip = &Skip{SkipNotConfigured, "the configuration excludes it"}
	}
	explained := make([]Explanation, len(positions))
	for at, i := range positions {
		explained[at] = Explanation{Repository: repository.Name, Entry: entry, Image: c.images[i], Skip: skip}
	}
	if plan.Skip = skip; skip == nil {
		if err := c.evaluate(ctx, &plan, policy); err != nil {
			return plan, nil, err
		}
		c.explain(explained, positions, &plan, policy)
	}
	settings := conf.Settings
	if entry != nil {
		settings = entry.Settings
	}
	return plan, explained, c.addProtections(ctx, explained, settings.Protect)
}

func (c *contents) explain(explained []Explanation, positions []int, plan *Plan, policy lifecycle.Policy) {
	verdicts := evaluator.Evaluate(policy, c.images, c.Now)
	for at, i := range positions {
		e := &explained[at]
		e.Skip, e.Verdict = plan.Skip, verdicts[i]
		e.Steps, _ = evaluator.Explain(policy, c.images, c.Now, e.Image.Digest)
		if i := slices.IndexFunc(plan.Images, func(im Image) bool { return im.Digest == e.Image.Digest }); i >= 0 {
			e.Planned, e.ProtectedBy = &plan.Images[i], plan.Images[i].ProtectedBy
		}
	}
}

// addProtections adds the protections of the images that are not planned.
func (c *contents) addProtections(ctx context.Context, explained []Explanation, settings config.Protect) error {
	if !slices.ContainsFunc(explained, func(e Explanation) bool { return e.Planned == nil }) {
		return nil
	}
	if err := c.readManifests(ctx); err != nil {
		return err
	}
	used, _ := c.inUse(ctx, graph.New(c.images, c.children), settings) // the images are kept, even if the scan failed
	protector := newProtector(used, settings)
	for i := range explained {
		if e := &explained[i]; e.Planned == nil {
			e.ProtectedBy = protector.protections(&e.Image)
		}
	}
	return nil
}

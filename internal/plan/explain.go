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

// Explain explains an image by digest, the beginning of one, or tag. It returns an error if the name does not mean
// exactly one listed image.
func (p Planner) Explain(ctx context.Context, conf *config.Config, repository Repository, name string) (Explanation, error) {
	entry, err := EntryFor(ctx, p.Registry, conf, repository)
	e := Explanation{Repository: repository.Name, Entry: entry}
	if err != nil {
		return e, err
	}
	c, err := p.contents(ctx, repository.Name)
	if err != nil {
		return e, err
	}
	i, listed, err := c.find(name)
	switch {
	case err != nil:
		return e, err
	case !listed:
		return e, c.noImage([]string{name})
	}
	e.Image = c.images[i]
	policy, skip, err := PolicyFor(ctx, p.Registry, repository.Name, entry)
	if err != nil {
		return e, err
	}
	if !conf.Repositories.Select(repository.Name) {
		skip = &Skip{SkipNotConfigured, "the configuration excludes it"}
	}
	e.Skip = skip
	if skip == nil {
		if err := c.explain(ctx, &e, policy, i); err != nil || e.Planned != nil {
			return e, err
		}
	}
	settings := conf.Settings
	if entry != nil {
		settings = entry.Settings
	}
	e.ProtectedBy, err = c.protectionsOf(ctx, settings.Protect, &e.Image)
	return e, err
}

func (c *contents) explain(ctx context.Context, e *Explanation, policy lifecycle.Policy, i int) error {
	plan := Plan{Repository: e.Repository, Entry: e.Entry, Attached: e.Entry.Source == config.Attached}
	if err := c.evaluate(ctx, &plan, policy); err != nil {
		return err
	}
	e.Skip, e.Verdict = plan.Skip, evaluator.Evaluate(policy, c.images, c.Now)[i]
	e.Steps, _ = evaluator.Explain(policy, c.images, c.Now, e.Image.Digest)
	if i := slices.IndexFunc(plan.Images, func(im Image) bool { return im.Digest == e.Image.Digest }); i >= 0 {
		e.Planned, e.ProtectedBy = &plan.Images[i], plan.Images[i].ProtectedBy
	}
	return nil
}

func (c *contents) protectionsOf(ctx context.Context, settings config.Protect, im *evaluator.Image) ([]Protection, error) {
	if err := c.readManifests(ctx); err != nil {
		return nil, err
	}
	used, _ := c.inUse(ctx, graph.New(c.images, c.children), settings) // the image is kept, even if the scan failed
	protector := newProtector(used, settings)
	return protector.protections(im), nil
}

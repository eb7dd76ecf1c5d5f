package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// An Explanation is why one image is kept or not.
type Explanation struct {
	Repository string
	Entry      *config.Entry
	Image      evaluator.Image
	// Skip is why no policy is evaluated in the repository, or nil.
	Skip *Skip
	// Verdict and Steps are what the policy says: as a whole and rule by rule,
	// in the order of the priorities. Without a policy they are zero.
	Verdict evaluator.Verdict
	Steps   []evaluator.Step
	// Planned is what the plan holds about the image, or nil when it stays.
	Planned *Image
	// ProtectedBy is everything that protects the image, whatever the verdict.
	ProtectedBy []Protection
}

// explainBy explains the image at the place by the policy.
func (p Planner) explainBy(ctx context.Context, e *Explanation, c *contents, policy lifecycle.Policy, at int) error {
	plan := Plan{Repository: e.Repository, Entry: e.Entry, Attached: e.Entry.Source == config.Attached}
	if err := p.evaluate(ctx, &plan, c, policy, e.Entry.Settings); err != nil {
		return err
	}
	e.Skip, e.Verdict = plan.Skip, evaluator.Evaluate(policy, c.images, p.Now)[at]
	e.Steps, _ = evaluator.Explain(policy, c.images, p.Now, e.Image.Digest)
	if i := slices.IndexFunc(plan.Images, func(im Image) bool { return im.Digest == e.Image.Digest }); i >= 0 {
		e.Planned, e.ProtectedBy = &plan.Images[i], plan.Images[i].ProtectedBy
		return nil
	}
	var err error
	e.ProtectedBy, err = p.whatProtects(ctx, c, e.Entry.Protect, e.Image)
	return err
}

// whatProtects returns what protects an image that nobody wants gone.
func (p Planner) whatProtects(ctx context.Context, c *contents, settings config.Protect, im evaluator.Image) ([]Protection, error) {
	if err := c.readManifests(ctx); err != nil {
		return nil, err
	}
	protector := newProtector(c, settings)
	used, _ := p.inUse(ctx, c, graph.New(c.images, c.children), settings) // it stays, whoever did not answer
	return append(used.protections(im.Digest), protector.protections(&im)...), nil
}

// Explain explains the image with the name, a digest or a tag, under the configuration.
// The error says that no image has the name, that several listed images have the tag, or
// that the repository could not be read.
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
	at, err := c.one(name)
	switch {
	case errors.Is(err, errUnknownName):
		return e, fmt.Errorf("repository %s has no image with the digest or tag %s", repository.Name, name)
	case err != nil:
		return e, err
	}
	e.Image = c.images[at]
	policy, skip, err := PolicyFor(ctx, p.Registry, repository.Name, entry)
	if err != nil {
		return e, err
	}
	if !conf.Repositories.Select(repository.Name) {
		skip = &Skip{SkipNotConfigured, "the configuration excludes it"}
	}
	if skip == nil {
		err = p.explainBy(ctx, &e, c, policy, at)
		return e, err
	}
	e.Skip = skip
	settings := conf.Settings
	if entry != nil {
		settings = entry.Settings
	}
	e.ProtectedBy, err = p.whatProtects(ctx, c, settings.Protect, e.Image)
	return e, err
}

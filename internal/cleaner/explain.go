package cleaner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
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
	// ProtectedBy is everything that protects the image, whatever the verdict.
	ProtectedBy []Protection
}

// Explain explains the image that name, a digest or a tag, means.
func Explain(ctx context.Context, registry Registry, repository string, c *config.Config, name string, now time.Time) (Explanation, error) {
	entry := c.Entry(repository)
	e := Explanation{Repository: repository, Entry: entry}
	images, err := collect(ctx, registry, repository)
	if err != nil {
		return e, err
	}
	at := slices.IndexFunc(images, func(im evaluator.Image) bool { return named(im, name) })
	if at < 0 {
		return e, fmt.Errorf("repository %s has no image with the digest or tag %s", repository, name)
	}
	e.Image = images[at]
	settings := c.Settings
	if entry != nil {
		settings = entry.Settings
	}
	e.ProtectedBy = newProtector(images, settings.Protect, now).protections(e.Image)
	policy, skip, err := policyFor(ctx, registry, repository, entry)
	if err != nil || skip != nil {
		e.Skip = skip
		return e, err
	}
	e.Verdict = evaluator.Evaluate(policy, images, now)[at]
	e.Steps, _ = evaluator.Explain(policy, images, now, e.Image.Digest)
	return e, nil
}

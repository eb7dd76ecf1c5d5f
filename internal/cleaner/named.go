package cleaner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// RunNamed is Run for images of one repository that a person named, each by
// digest or by tag. No policy is evaluated; protection, limits and re-check
// are the same. The error says that the repository could not be read or that
// a name is not an image's; then nothing was done.
func (r *Runner) RunNamed(ctx context.Context, repository string, names []string) (Report, error) {
	report := r.newReport()
	account, err := r.find(ctx, repository)
	if err != nil {
		return report, err
	}
	report.Account = account
	entry := r.Config.Entry(repository)
	if entry == nil {
		entry = &config.Entry{Settings: r.Config.Settings}
	}
	plan, err := PlanNamed(ctx, r.Registry, repository, entry, names, r.Now)
	if err != nil {
		return report, err
	}
	if r.Saved != nil {
		r.keepToSaved(ctx, &plan)
	}
	plan.limit()
	newBudget(r.Config).grant(&plan)
	report.add(r.apply(ctx, &plan))
	return report, nil
}

// find returns the account of the repository.
func (r *Runner) find(ctx context.Context, name string) (string, error) {
	if !r.Config.Repositories.Select(name) {
		return "", fmt.Errorf("repository %s is excluded by the configuration", name)
	}
	for repository, err := range r.Registry.Repositories(ctx) {
		if err != nil {
			return "", err
		}
		if repository.Name == name {
			return repository.RegistryID, nil
		}
	}
	return "", fmt.Errorf("repository %s: %w; check the name and the region", name, ErrRepositoryNotFound)
}

// PlanNamed plans the removal of images that a person named, each by digest or
// by tag, with the protection of the entry. A name that no listed image bears
// is an error.
func PlanNamed(ctx context.Context, registry Registry, repository string, entry *config.Entry, names []string, now time.Time) (RepositoryPlan, error) {
	plan := RepositoryPlan{Repository: repository, Entry: entry}
	images, err := collect(ctx, registry, repository)
	if err != nil {
		return plan, err
	}
	plan.Listed = len(images)
	var unknown []string
	for _, name := range names {
		i := slices.IndexFunc(images, func(im evaluator.Image) bool { return named(im, name) })
		switch {
		case i < 0:
			unknown = append(unknown, name)
		case !plan.holds(images[i].Digest):
			plan.Images = append(plan.Images, PlannedImage{
				Image: images[i], Action: evaluator.Expire, Reason: fmt.Sprintf("named by a person as %s", name),
			})
		}
	}
	if len(unknown) > 0 {
		return plan, fmt.Errorf("repository %s has no image with the digest or tag %s; nothing was removed",
			repository, strings.Join(unknown, ", "))
	}
	protect(plan.Images, newProtector(images, entry.Protect, now))
	sortImages(plan.Images)
	return plan, nil
}

func (p *RepositoryPlan) holds(digest string) bool {
	return slices.ContainsFunc(p.Images, func(im PlannedImage) bool { return im.Digest == digest })
}

// named reports whether name, a digest or a tag, means the image.
func named(im evaluator.Image, name string) bool {
	return im.Digest == name || slices.Contains(im.Tags, name)
}

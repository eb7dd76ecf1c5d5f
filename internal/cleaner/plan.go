package cleaner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A RepositoryPlan is what would happen in one repository.
type RepositoryPlan struct {
	Repository string
	// Entry is the entry of the configuration that decides; nil when none
	// selects the repository.
	Entry *config.Entry
	// Listed is the number of images listed, whatever their status.
	Listed int
	// Images are those with a verdict to act on, also the protected ones,
	// ordered by push time, the oldest first.
	Images []PlannedImage
	// Skip is why the repository is left alone as a whole, or nil.
	Skip *Skip
}

// A PlannedImage is an image with a verdict to act on.
type PlannedImage struct {
	evaluator.Image
	// Action is what would happen; it is never evaluator.Keep.
	Action evaluator.Action
	// Rule is the priority of the rule that claimed the image, or 0 when a
	// person named the image.
	Rule int
	// Reason is why, in words.
	Reason string
	// ProtectedBy is empty unless something vetoes the action.
	ProtectedBy []Protection
	// Outcome is empty until the plan is applied; Message explains it where
	// there is something to explain.
	Outcome Outcome
	Message string
}

// Protected reports whether something vetoes the action.
func (p *PlannedImage) Protected() bool { return len(p.ProtectedBy) > 0 }

// open reports whether the image is still to be removed.
func (p *PlannedImage) open() bool { return !p.Protected() && p.Outcome == "" }

// A Skip is why a repository is left alone.
type Skip struct {
	Code SkipCode
	// Message is one line for a person; it says what to do where there is
	// something to do.
	Message string
}

// SkipCode tells the reasons apart for which a repository is left alone.
type SkipCode string

// The reasons for leaving a repository alone. The first group is as the
// configuration wants it, the second is not: there something was not handled.
const (
	SkipNotConfigured SkipCode = "not configured" // no entry selects it
	SkipNone          SkipCode = "policy none"    // its entry says so
	SkipNoPolicy      SkipCode = "no policy"      // none is attached
	SkipGone          SkipCode = "gone"           // it was deleted meanwhile
	SkipLimit         SkipCode = "limit"          // the plan exceeds a limit
	SkipUnsupported   SkipCode = "not supported"  // needs what this version lacks
	SkipInvalidPolicy SkipCode = "invalid policy" // the attached policy cannot be read
	SkipFailed        SkipCode = "failed"         // a call failed
	SkipDeadline      SkipCode = "deadline"       // the time ran out before it
)

// Plan lists the images of one repository and evaluates the policy that the
// entry gives it at the instant now. A nil entry, a missing policy and an
// invalid one make a plan with a Skip; an error means that the repository
// could not be read whole, and then there is no plan.
func Plan(ctx context.Context, registry Registry, repository string, entry *config.Entry, now time.Time) (RepositoryPlan, error) {
	plan := RepositoryPlan{Repository: repository, Entry: entry}
	policy, skip, err := policyFor(ctx, registry, repository, entry)
	if err != nil || skip != nil {
		plan.Skip = skip
		return plan, err
	}
	images, err := collect(ctx, registry, repository)
	if err != nil {
		return plan, err
	}
	plan.Listed = len(images)
	verdicts := evaluator.Evaluate(policy, images, now)
	for i, v := range verdicts {
		if v.Action != evaluator.Keep {
			plan.Images = append(plan.Images, PlannedImage{
				Image: images[i], Action: v.Action, Rule: v.Rule.RulePriority, Reason: v.Why(),
			})
		}
	}
	protect(plan.Images, newProtector(images, entry.Protect, now))
	sortImages(plan.Images)
	return plan, nil
}

func collect(ctx context.Context, registry Registry, repository string) ([]evaluator.Image, error) {
	var images []evaluator.Image
	for im, err := range registry.Images(ctx, repository) {
		if err != nil {
			return nil, err
		}
		images = append(images, im)
	}
	return images, nil
}

// policyFor returns the policy that the entry gives the repository, or why
// there is none to apply.
func policyFor(ctx context.Context, registry Registry, repository string, entry *config.Entry) (lifecycle.Policy, *Skip, error) {
	if entry == nil {
		return lifecycle.Policy{}, &Skip{SkipNotConfigured, "no entry of the configuration selects it"}, nil
	}
	if len(entry.RepositoryTags) > 0 {
		return lifecycle.Policy{}, &Skip{SkipUnsupported, fmt.Sprintf(
			"policy %q selects by repositoryTags, which this version does not read; select by name", entry.Name)}, nil
	}
	switch entry.Source {
	case config.Inline:
		return entry.Policy, nil, nil
	case config.Attached:
		return attachedPolicy(ctx, registry, repository)
	case config.None:
	}
	return lifecycle.Policy{}, &Skip{SkipNone, fmt.Sprintf("policy %q leaves it alone", entry.Name)}, nil
}

func attachedPolicy(ctx context.Context, registry Registry, repository string) (lifecycle.Policy, *Skip, error) {
	text, err := registry.PolicyText(ctx, repository)
	if errors.Is(err, ErrNoPolicy) {
		return lifecycle.Policy{}, &Skip{SkipNoPolicy, "no lifecycle policy is attached to it"}, nil
	}
	if err != nil {
		return lifecycle.Policy{}, nil, err
	}
	policy, problems := lifecycle.ParseText([]byte(text))
	if err := problems.Err(); err != nil {
		return lifecycle.Policy{}, &Skip{SkipInvalidPolicy, "attached lifecycle policy: " + err.Error()}, nil
	}
	return policy, nil, nil
}

// sortImages orders by push time and, where that is equal, by digest, so that
// plans and reports do not depend on the order of the listing.
func sortImages(images []PlannedImage) {
	slices.SortFunc(images, func(a, b PlannedImage) int {
		return cmp.Or(a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
	})
}

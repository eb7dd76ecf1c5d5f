package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// A Planner makes the plans of repositories. It has nothing that could remove
// an image.
type Planner struct {
	Registry Registry
	// Now is the instant at which policies are evaluated.
	Now time.Time
	// OwnPulls says whether ECR records the reading of a manifest as a pull. The planner
	// uses it only after it has read a manifest.
	OwnPulls *OwnPullsOnce
	// reads are the earlier reads of indexes by this tool, by digest.
	reads map[string]ownRead
	// Scanner knows what is in use; nil when nothing was to be asked.
	Scanner *usage.Scanner
	// released are images that followed others which this run has removed since:
	// they go as they were to, whatever the policy says of them by themselves.
	released map[string]string
	// Reserve waits until the run may hold so many more listed images. Nil does not.
	Reserve func(images int)
}

// A Plan is what would happen in one repository.
type Plan struct {
	Repository string
	// Entry is the entry of the configuration that decides; nil when none
	// selects the repository.
	Entry *config.Entry
	// Made is when the plan was ready; zero if unknown.
	Made clock.Stamp
	// Listed is the number of images listed, whatever their status.
	Listed int
	// Images are those with a verdict to act on, also the protected ones, and
	// those that follow them, ordered by push time, the oldest first.
	Images []Image
	// Attached is true when a lifecycle policy is attached to the repository,
	// which ECR applies by itself. Where the entry has a policy of its own, that
	// is found out only if something is asked what is in use, and the repository
	// is used or something would go.
	Attached bool
	// scanned is when the in-use scan of the plan asked its first question; zero if the
	// plan relies on no scan.
	scanned clock.Stamp
	// KeptByOwnPulls is the number of indexes that are kept because the reading of
	// their manifests may count as a pull.
	KeptByOwnPulls int
	// Attempts counts the removing calls that were announced to the log, by digest.
	Attempts map[string]int
	// Skip is why the repository is left alone as a whole, or nil.
	Skip *Skip
	// Findings are what came to light and is no failure.
	Findings []finding.Finding
}

// Follow is the action on an image that goes along with the last image that
// references it.
const Follow evaluator.Action = "follow"

// A Image is an image with a verdict to act on.
type Image struct {
	evaluator.Image
	// Action is what would happen; it is never evaluator.Keep.
	Action evaluator.Action
	// Rule is the priority of the rule that claimed the image, or 0 when it
	// follows another or a person named it.
	Rule int
	// Reason is why, in words.
	Reason string
	// OnExpire is config.ArchiveExpired when the image expires and would be moved
	// to the archive class instead of being deleted, else empty.
	OnExpire config.OnExpire
	// Untag are the tags that would be removed, when that is the action.
	Untag []string
	// ProtectedBy is empty unless something vetoes the action.
	ProtectedBy []Protection
	// Parents are the listed indexes and subjects that the image belongs to.
	// It goes only after all of them.
	Parents []string
	// Unread is true for an index whose manifest was not read. What it may list
	// goes only after it, but for Above, to which it belongs itself.
	Unread bool
	Above  []string
	// Children are the listed images to which the image, an index whose
	// manifest was read, leads, as they were when the plan was made; indexes
	// that were read are not among them. Nil means that it was not read.
	Children []evaluator.Image
	// Read is when ECR may have recorded the reading of the index's manifest as a
	// pull. It is zero unless the manifest was read and this role's pulls are
	// known to be recorded.
	Read Span
	// ownPull is the pull that ECR recorded for a read by this tool; zero for none.
	// ReadSeen is true when that read is Read.
	ownPull  evaluator.Instant
	readSeen bool
	// Outcome is empty until the plan is applied; Message explains it where
	// there is something to explain.
	Outcome Outcome
	Message string
}

// Protected reports whether something vetoes the action.
func (p *Image) Protected() bool { return len(p.ProtectedBy) > 0 }

// Archives reports whether the image would move to the archive class.
func (p *Image) Archives() bool { return Archives(p.Action, p.OnExpire) }

func Archives(action evaluator.Action, onExpire config.OnExpire) bool {
	return action == evaluator.Transition || onExpire == config.ArchiveExpired
}

// Deletes reports whether the image would be deleted.
func (p *Image) Deletes() bool {
	return (p.Action == evaluator.Expire || p.Action == Follow) && !p.Archives()
}

// ChildrenPulledAt returns the latest pull of the children, zero for none.
func (p *Image) ChildrenPulledAt() evaluator.Instant {
	var latest evaluator.Instant
	for _, child := range p.Children {
		if child.LastRecordedPullTime.After(latest) {
			latest = child.LastRecordedPullTime
		}
	}
	return latest
}

// Open reports whether the image is still to be removed.
func (p *Image) Open() bool { return !p.Protected() && p.Outcome == "" }

// Plan lists the images of one repository and evaluates the policy that the
// entry gives it. A nil entry, a missing policy and an invalid one make a plan
// with a Skip; an error means that the repository could not be read whole, and
// then there is no plan.
func (p Planner) Plan(ctx context.Context, repository string, entry *config.Entry) (Plan, error) {
	plan := Plan{Repository: repository, Entry: entry}
	policy, skip, err := PolicyFor(ctx, p.Registry, repository, entry)
	plan.Attached = entry != nil && entry.Source == config.Attached && err == nil && (skip == nil || skip.Code == SkipInvalidPolicy)
	if err != nil || skip != nil {
		plan.Skip = skip
		return plan, err
	}
	p.Scanner.Rely(ctx, sourcesOf(entry.Protect))
	c, err := p.contents(ctx, repository)
	if err != nil {
		return plan, err
	}
	return plan, p.evaluate(ctx, &plan, c, policy, entry.Settings)
}

// evaluate evaluates the policy on the contents and fills the plan with what
// comes of it.
func (p Planner) evaluate(ctx context.Context, plan *Plan, c *contents, policy lifecycle.Policy, settings config.Settings) error {
	c.marks = p.attachedMarks(ctx, plan, c, policy)
	err := p.settle(ctx, plan, c, requestsOf(policy, c, settings.OnExpire), settings)
	if countsPulls(policy) {
		plan.KeptByOwnPulls += c.unmarkedByOwnPulls(policy)
	}
	if !plan.Attached && !c.readBeside && plan.Removals() > 0 && len(sourcesOf(settings.Protect)) > 0 {
		p.attachedBeside(ctx, plan, c) // protection that ECR knows nothing of is worth the question
	}
	return err
}

// countsPulls reports whether the policy looks at pull times.
func countsPulls(policy lifecycle.Policy) bool {
	return slices.ContainsFunc(policy.Rules, func(r lifecycle.Rule) bool {
		return r.Selection.CountType == lifecycle.SinceImagePulled
	})
}

// PolicyFor returns the policy that the entry gives the repository, or why
// there is none to apply.
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
	return lifecycle.Policy{}, &Skip{SkipNone, fmt.Sprintf("policy %q leaves it alone", entry.Name)}, nil
}

// SortImages orders by push time and, where that is equal, by digest, so that
// plans and reports do not depend on the order of the listing.
func SortImages(images []Image) {
	slices.SortFunc(images, func(a, b Image) int { return byPush(&a.Image, &b.Image) })
}

func byPush(a, b *evaluator.Image) int {
	return cmp.Or(a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
}

// Digests returns the digests of the images.
func Digests(images []*Image) []string {
	list := make([]string, len(images))
	for i, im := range images {
		list[i] = im.Digest
	}
	return list
}

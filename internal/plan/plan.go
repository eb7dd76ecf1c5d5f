// Package plan decides which images of one repository are to be deleted, archived or
// untagged. It takes the entry of the configuration that selects the repository, a
// Registry with images and manifests, and a usage.Scanner with the images in use. It
// returns a Plan: the images with an action, the reasons, the protection, and findings.
//
// The package cannot remove anything: neither a Registry nor an imported package can.
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
	"github.com/ecr-cleaner/ecr-cleaner/internal/resourcepolicy"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// A Planner makes the plans of repositories. It is safe for concurrent use.
type Planner struct {
	Registry Registry
	Now      time.Time      // the time at which policies are evaluated
	OwnPulls *OwnPullsOnce  // used after a read of a manifest; nil if ECR records these reads
	Scanner  *usage.Scanner // nil without in-use sources
	// RegistryPolicy is read if a source of another account failed. It may be nil.
	RegistryPolicy *resourcepolicy.Once
	// Reserve waits until the memory budget allows more listed images; it may be nil.
	Reserve func(images int)
	reads   map[string]ownRead // the cleaner's earlier reads, by digest
	// released are the reasons of images that follow already removed ones, by digest. It is
	// nil in the first plan of a repository.
	released map[string]string
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
	p.Scanner.Rely(ctx, entry.Protect.Sources())
	c, err := p.contents(ctx, repository)
	if err != nil {
		return plan, err
	}
	err = c.evaluate(ctx, &plan, policy)
	return plan, err
}

// PlanChosen plans the removal of chosen images, under the protection of the entry.
func (p Planner) PlanChosen(ctx context.Context, repository string, entry *config.Entry, choice selection.Choice) (Plan, error) {
	plan := Plan{Repository: repository, Entry: entry}
	p.Scanner.Rely(ctx, entry.Protect.Sources())
	c, err := p.contents(ctx, repository)
	if err != nil {
		return plan, err
	}
	chosen, err := choice.Choose(&c.listing, c.Now, p.released != nil)
	if err != nil {
		return plan, fmt.Errorf("%w; nothing was removed", err)
	}
	requests, err := c.chosen(ctx, chosen, choice.KeepNewest)
	if err == nil {
		err = c.decide(ctx, &plan, requests, choice.Named || entry.Orphans == config.DeleteOrphans)
	}
	return plan, err
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

func (c *contents) evaluate(ctx context.Context, plan *Plan, policy lifecycle.Policy) error {
	c.attachedVerdicts = c.evaluateAttached(ctx, plan, policy)
	err := c.decide(ctx, plan, c.requests(policy, plan.Entry.OnExpire), plan.Entry.Orphans == config.DeleteOrphans)
	plan.KeptByOwnPulls += c.unmarkedByOwnPulls(policy)
	if !plan.Attached && !c.attachedRead && plan.Removals() > 0 && len(plan.Entry.Protect.Sources()) > 0 {
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

// A Plan lists the images of one repository that a run would remove.
type Plan struct {
	Repository string
	Entry      *config.Entry // nil if no entry selects the repository
	Made       clock.Stamp   // when the plan was ready; zero if unknown
	Listed     int           // the number of listed images
	Images     []Image       // with an action, protected or not; by push time, the oldest first
	// Attached is true if a lifecycle policy is attached. The planner looks beside a policy of
	// the entry only if there are in-use sources, and images are in use or would be removed.
	Attached bool
	scanned  clock.Stamp // when the in-use scan began; zero without a scan
	// KeptByOwnPulls is the number of indexes that are kept because of the cleaner's reads.
	KeptByOwnPulls int
	Attempts       map[string]int // the removing calls that were logged, by digest
	Skip           *Skip          // why the whole repository is skipped, or nil
	Findings       []finding.Finding
}

// Open returns the images in Images that are still to be removed.
func (plan *Plan) Open() []*Image {
	var open []*Image
	for i := range plan.Images {
		if plan.Images[i].Open() {
			open = append(open, &plan.Images[i])
		}
	}
	return open
}

// Removals returns the number of images that Open returns.
func (plan *Plan) Removals() int {
	n := 0
	for i := range plan.Images {
		if plan.Images[i].Open() {
			n++
		}
	}
	return n
}

// ApplyLimits skips the whole repository if the plan exceeds a limit of its entry.
func (plan *Plan) ApplyLimits() {
	if plan.Skip != nil || plan.Entry == nil {
		return
	}
	removals, limits := plan.Removals(), plan.Entry.Limits
	exceeds := func(name string, limit int) *Skip {
		return &Skip{SkipLimit, fmt.Sprintf("%d of %d images would be removed, %s is %d", removals, plan.Listed, name, limit)}
	}
	switch {
	case removals > limits.MaxDeletionsPerRepository:
		plan.Skip = exceeds("maxDeletionsPerRepository", limits.MaxDeletionsPerRepository)
	case removals*100 > limits.MaxDeletedPercent*plan.Listed:
		plan.Skip = exceeds("maxDeletedPercent", limits.MaxDeletedPercent)
	}
}

// Fresh reports whether neither the plan nor its in-use scan is older than
// usage.MaxScanAge. An unknown time counts as fresh. Only a fresh plan may be applied.
func (plan *Plan) Fresh(now clock.Stamp) bool {
	young := func(made clock.Stamp) bool { return !made.Known() || made.Age(now) <= usage.MaxScanAge }
	return young(plan.scanned) && young(plan.Made)
}

// released returns the reasons of the open images whose parents are all removed, by digest.
func (plan *Plan) released() map[string]string {
	outcomes := map[string]Outcome{}
	for i := range plan.Images {
		outcomes[plan.Images[i].Digest] = plan.Images[i].Outcome
	}
	released := map[string]string{}
	for _, im := range plan.Open() {
		kept := func(parent string) bool { return !im.RemovedFor(outcomes[parent]) }
		if im.Action == Follow && len(im.Parents) > 0 && !slices.ContainsFunc(im.Parents, kept) {
			released[im.Digest] = im.Reason
		}
	}
	return released
}

// SortImages sorts by push time, the oldest first, and then by digest.
func SortImages(images []Image) {
	slices.SortFunc(images, func(a, b Image) int { return byPush(&a.Image, &b.Image) })
}

func byPush(a, b *evaluator.Image) int {
	return cmp.Or(a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
}

// Digests returns the digests of the images in their order.
func Digests(images []*Image) []string {
	digests := make([]string, len(images))
	for i, im := range images {
		digests[i] = im.Digest
	}
	return digests
}

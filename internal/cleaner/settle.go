package cleaner

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// A wish is what a policy or a person wants of one image; its action is
// evaluator.Keep when nobody wants anything.
type wish struct {
	action evaluator.Action
	rule   int
	reason string
	// onExpire is config.ArchiveExpired when the image expires and is to go to
	// the archive class.
	onExpire config.OnExpire
	// retained is true for an image that a rule retains.
	retained bool
	// untag are the tags to remove.
	untag []string
}

// wishOf returns what the verdict about the image wants under that setting of
// onExpire.
func wishOf(v evaluator.Verdict, im evaluator.Image, onExpire config.OnExpire) wish {
	if v.Action == evaluator.Keep {
		return wish{retained: v.Reason.Kind == evaluator.Retained}
	}
	w := wish{action: v.Action, rule: v.Rule.RulePriority, reason: v.Why()}
	switch {
	case v.Action == evaluator.Untag:
		w.untag = v.Rule.Selection.MatchingTags(im.Tags)
	case v.Action == evaluator.Expire && onExpire == config.ArchiveExpired && im.Status == evaluator.Active:
		w.onExpire = onExpire
	}
	return w
}

func (w wish) fate() graph.Fate {
	switch {
	case w.action == evaluator.Transition, w.onExpire == config.ArchiveExpired:
		return graph.Archive
	case w.action == evaluator.Expire:
		return graph.Delete
	}
	return graph.Stay
}

// settle fills the plan with what is wanted, what protects it and what goes
// along. The wishes are in the order of the contents.
func (p Planner) settle(ctx context.Context, plan *RepositoryPlan, c *contents, wanted []wish, settings config.Settings) error {
	plan.Listed = len(c.images)
	if !slices.ContainsFunc(wanted, func(w wish) bool { return w.action != evaluator.Keep }) && !marksAny(c.marks) {
		return nil
	}
	if err := c.readManifests(ctx); err != nil {
		return err
	}
	g := graph.New(c.images, c.children)
	used, skip := p.usage(ctx, c, g, settings.Protect)
	plan.Skip, plan.Findings, plan.Scanned = skip, append(plan.Findings, used.findings...), used.at
	protector := newProtector(c, settings.Protect)
	protections := make([][]Protection, len(c.images))
	wishes := make([]graph.Wish, len(c.images))
	for i, im := range c.images {
		protections[i] = append(used.protections(im.Digest), protector.protections(im)...)
		if wanted[i].action == evaluator.Untag {
			protections[i] = append(protections[i], used.tagged(g, im, wanted[i].untag)...)
		}
		wishes[i] = graph.Wish{Fate: wanted[i].fate(), Vetoed: len(protections[i]) > 0 || wanted[i].retained}
	}
	rulings := g.Settle(wishes, settings.Orphans == config.DeleteOrphans)
	for i, ruling := range rulings {
		if wanted[i].action == evaluator.Keep && !ruling.Follows {
			continue
		}
		im := newPlannedImage(c.images[i], wanted[i], ruling, protections[i])
		im.Parents = im.waitsFor(slices.Concat(g.Parents(im.Digest), g.PossibleParents(im.Digest)))
		im.Children = c.below(im.Digest)
		im.Discounted = c.discounts && im.Children != nil
		plan.Images = append(plan.Images, im)
	}
	sortImages(plan.Images)
	plan.attachedFindings(c, g, &used)
	if plan.removals() > 0 {
		plan.Findings = append(plan.Findings, p.sharedFinding(ctx, plan.Repository, settings.Protect)...)
	}
	return nil
}

func newPlannedImage(im evaluator.Image, w wish, ruling graph.Ruling, protectedBy []Protection) PlannedImage {
	if ruling.Follows {
		return PlannedImage{Image: im, Action: Follow, Reason: "nothing else references it; goes with " + ruling.With}
	}
	if ruling.Tie != graph.NoTie {
		protectedBy = append(protectedBy, Protection{ProtectionKind(ruling.Tie), ruling.With})
	}
	return PlannedImage{Image: im, Action: w.action, Rule: w.rule, Reason: w.reason, OnExpire: w.onExpire, Untag: w.untag, ProtectedBy: protectedBy}
}

// waitsFor returns the digests of those parents that must go before the image
// does: to follow into the archive, it need not wait for one that is there. To
// lose a tag it waits for none.
func (im *PlannedImage) waitsFor(parents []evaluator.Image) []string {
	if im.Action == evaluator.Untag {
		return nil
	}
	var digests []string
	for _, parent := range parents {
		if !im.archives() || parent.Status != evaluator.Archived {
			digests = append(digests, parent.Digest)
		}
	}
	return digests
}

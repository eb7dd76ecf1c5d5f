package plan

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A request is what a policy or a person wants of one image; nil when nobody wants
// anything.
type request struct {
	action evaluator.Action
	rule   int
	reason string
	// onExpire is config.ArchiveExpired when the image expires and is to go to
	// the archive class.
	onExpire config.OnExpire
	// retained is true for an image that a rule retains.
	retained bool
	// untag are the tags to remove, at most as many as go in one call: between
	// two, other tags may go.
	untag []string
}

// requestsOf returns what the policy wants of the contents under that setting of
// onExpire, in their order.
func requestsOf(policy lifecycle.Policy, c *contents, onExpire config.OnExpire) []*request {
	wishes := make([]*request, len(c.images))
	for i, v := range evaluator.Evaluate(policy, c.images, c.Now) {
		wishes[i] = requestOf(v, &c.images[i], onExpire)
	}
	return wishes
}

func requestOf(v evaluator.Verdict, im *evaluator.Image, onExpire config.OnExpire) *request {
	switch {
	case v.Reason.Kind == evaluator.Retained:
		return &request{retained: true}
	case v.Action == evaluator.Keep:
		return nil
	}
	w := request{action: v.Action, rule: v.Rule.RulePriority, reason: v.Why()}
	switch {
	case v.Action == evaluator.Untag:
		w.untag = v.Rule.Selection.MatchingTags(im.Tags)
		w.untag = w.untag[:min(len(w.untag), MaxBatch)]
	case v.Action == evaluator.Expire && onExpire == config.ArchiveExpired && im.Status == evaluator.Active:
		w.onExpire = onExpire
	}
	return &w
}

// acts reports whether something is to become of the image.
func (w *request) acts() bool { return w != nil && w.action != evaluator.Keep }

func (w *request) disposition() graph.Disposition {
	switch {
	case w == nil:
	case Archives(w.action, w.onExpire):
		return graph.Archive
	case w.action == evaluator.Expire, w.action == Follow:
		return graph.Delete
	}
	return graph.Keep
}

// settle fills the plan with what is wanted, what protects it and what goes
// along. The wishes are in the order of the contents.
func (p Planner) settle(ctx context.Context, plan *Plan, c *contents, wanted []*request, settings config.Settings) error {
	plan.Listed = len(c.images)
	marked := len(p.released)
	for _, w := range wanted {
		if w.acts() {
			marked++
		}
	}
	if marked == 0 && !marksAny(c.marks) {
		return nil
	}
	if err := c.readManifests(ctx); err != nil {
		return err
	}
	if len(c.reading) > 0 {
		c.own = p.OwnPulls.Get(ctx)
	}
	g := graph.New(c.images, c.children)
	p.release(c, g, wanted)
	used, skip := p.inUse(ctx, c, g, settings.Protect)
	plan.Skip, plan.scanned = skip, used.at
	plan.Findings = slices.Concat(plan.Findings, c.manifestFindings(), used.findings)
	protections, wishes := p.weigh(c, g, &used, wanted, settings)
	plan.KeptByOwnPulls += c.keptByOwnPulls(wanted, protections, settings.Protect)
	rulings := g.Decide(wishes, settings.Orphans == config.DeleteOrphans)
	places := make([]int, 0, marked)
	for i := range rulings {
		if wanted[i].acts() || rulings[i].Follows {
			places = append(places, i)
		}
	}
	slices.SortFunc(places, func(i, j int) int { return byPush(&c.images[i], &c.images[j]) })
	plan.Images = make([]Image, 0, len(places))
	for _, i := range places {
		im := newPlannedImage(c.images[i], wanted[i], rulings[i], protections[i])
		c.complete(&im, i, g)
		plan.Images = append(plan.Images, im)
	}
	plan.attachedFindings(c, g, &used)
	if plan.Removals() > 0 {
		plan.Findings = append(plan.Findings, p.sharedFinding(ctx, plan.Repository, settings.Protect)...)
	}
	return nil
}

// complete adds the image's relations in the graph and the reading of its manifest to
// the planned image. The image is at place i.
func (c *contents) complete(im *Image, i int, g *graph.Graph) {
	im.Parents = im.waitsFor(g.Parents(im.Digest))
	im.Above, im.Unread = g.Unread(i)
	im.Children = c.below(im.Digest)
	im.Read, im.ownPull = c.read(im.Digest), c.ownPulled[im.Digest]
}

// release has the released images go as they were to.
func (p Planner) release(c *contents, g *graph.Graph, wanted []*request) {
	for digest, reason := range p.released {
		if i, listed := c.place(digest); listed && !wanted[i].acts() && (wanted[i] == nil || !wanted[i].retained) {
			g.Release(digest)
			wanted[i] = &request{action: Follow, reason: reason}
		}
	}
}

// weigh returns what protects images, by their places, and what is wanted of each
// under that protection.
func (p Planner) weigh(c *contents, g *graph.Graph, used *inUse, wanted []*request, settings config.Settings) (map[int][]Protection, []graph.Wanted) {
	protector := newProtector(c, settings.Protect)
	protections := map[int][]Protection{}
	wishes := make([]graph.Wanted, len(c.images))
	for i := range c.images {
		im, w := &c.images[i], wanted[i]
		by := append(used.protections(im.Digest), protector.protections(im)...)
		if w != nil && w.action == evaluator.Untag {
			by = append(by, used.tagged(g, im, w.untag)...)
		}
		if len(by) > 0 {
			protections[i] = by
		}
		wishes[i] = graph.Wanted{Disposition: w.disposition(), Vetoed: len(by) > 0 || w != nil && w.retained}
	}
	return protections, wishes
}

func newPlannedImage(im evaluator.Image, w *request, ruling graph.Decision, protectedBy []Protection) Image {
	if ruling.Follows {
		return Image{Image: im, Action: Follow, Reason: "nothing else references it; goes with " + ruling.Related}
	}
	if ruling.Blocker != "" {
		protectedBy = append(protectedBy, Protection{ProtectionKind(ruling.Blocker), ruling.Related})
	}
	return Image{Image: im, Action: w.action, Rule: w.rule, Reason: w.reason, OnExpire: w.onExpire, Untag: w.untag, ProtectedBy: protectedBy}
}

// waitsFor returns the digests of those parents that must go before the image
// does: to follow into the archive, it need not wait for one that is there. To
// lose a tag it waits for none.
func (im *Image) waitsFor(parents []evaluator.Image) []string {
	if im.Action == evaluator.Untag {
		return nil
	}
	var digests []string
	for _, parent := range parents {
		if !im.Archives() || parent.Status != evaluator.Archived {
			digests = append(digests, parent.Digest)
		}
	}
	return digests
}

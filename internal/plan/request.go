package plan

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
)

// A request is the action that a policy or a person wants on one image; nil wants nothing.
// See Image for the fields.
type request struct {
	action   evaluator.Action
	rule     int
	reason   string
	onExpire config.OnExpire
	untag    []string
	retained bool // by a rule; the action is evaluator.Keep then
}

func (c *contents) requests(policy lifecycle.Policy, onExpire config.OnExpire) []*request {
	requests := make([]*request, len(c.images))
	for i, v := range evaluator.Evaluate(policy, c.images, c.Now) {
		requests[i] = requestOf(v, &c.images[i], onExpire)
	}
	return requests
}

func requestOf(v evaluator.Verdict, im *evaluator.Image, onExpire config.OnExpire) *request {
	switch {
	case v.Reason.Kind == evaluator.Retained:
		return &request{retained: true}
	case v.Action == evaluator.Keep:
		return nil
	}
	r := &request{action: v.Action, rule: v.Rule.RulePriority, reason: v.Why()}
	switch {
	case v.Action == evaluator.Untag:
		tags := v.Rule.Selection.MatchingTags(im.Tags)
		r.untag = tags[:min(len(tags), MaxBatch)] // one call: before the next, other tags may disappear
	case v.Action == evaluator.Expire && onExpire == config.ArchiveExpired && im.Status == evaluator.Active:
		r.onExpire = onExpire
	}
	return r
}

// chosen returns the requests of a person, without those for the newest chosen images.
func (c *contents) chosen(ctx context.Context, chosen []selection.Chosen, keepNewest int) ([]*request, error) {
	requests, of := make([]*request, len(c.images)), map[string]bool{}
	for _, one := range chosen {
		r := &request{action: evaluator.Expire, reason: one.Reason}
		if one.Untag != nil {
			r.action, r.untag = evaluator.Untag, one.Untag[:min(len(one.Untag), MaxBatch)]
		}
		requests[one.Position], of[c.images[one.Position].Digest] = r, true
	}
	if keepNewest == 0 || len(chosen) == 0 {
		return requests, nil
	}
	if err := c.readManifests(ctx); err != nil {
		return nil, err
	}
	newest := c.newest(keepNewest, of)
	for _, one := range chosen {
		if newest[c.images[one.Position].Digest] {
			requests[one.Position] = nil
		}
	}
	return requests, nil
}

func (r *request) acts() bool { return r != nil && r.action != evaluator.Keep }

func (r *request) disposition() graph.Disposition {
	switch {
	case r == nil:
		return graph.Keep
	case Archives(r.action, r.onExpire):
		return graph.Archive
	case r.action == evaluator.Expire, r.action == Follow:
		return graph.Delete
	}
	return graph.Keep
}

// decide adds the actions that are possible under the protection of the entry, and findings.
// The requests are by position; decide may add some.
func (c *contents) decide(ctx context.Context, plan *Plan, requests []*request, deleteOrphans bool) error {
	plan.Listed = len(c.images)
	if len(c.released)+len(c.attachedVerdicts) == 0 && !slices.ContainsFunc(requests, (*request).acts) {
		plan.Findings = append(plan.Findings, c.manifestFindings()...) // keepNewest may have read manifests
		return nil
	}
	if err := c.readManifests(ctx); err != nil {
		return err
	}
	if len(c.readAt) > 0 {
		c.own = c.OwnPulls.Get(ctx)
	}
	g := graph.New(c.images, c.children)
	c.release(g, requests)
	used, skip := c.inUse(ctx, g, plan.Entry.Protect)
	plan.Skip, plan.scanned = skip, used.began
	plan.Findings = slices.Concat(plan.Findings, c.manifestFindings(), used.findings)
	protections, wanted := used.protect(requests, plan.Entry.Protect)
	plan.KeptByOwnPulls += used.keptByOwnPulls(requests, protections, plan.Entry.Protect)
	decisions := g.Decide(wanted, deleteOrphans)
	var planned []int
	for i := range decisions {
		if requests[i].acts() || decisions[i].Follows {
			planned = append(planned, i)
		}
	}
	slices.SortFunc(planned, func(i, j int) int { return byPush(&c.images[i], &c.images[j]) })
	plan.Images = make([]Image, 0, len(planned))
	for _, i := range planned {
		plan.Images = append(plan.Images, c.planned(g, i, requests[i], decisions[i], protections[i]))
	}
	plan.Findings = append(plan.Findings, used.attachedFindings()...)
	plan.Findings = append(plan.Findings, used.idleFinding(plan.Images, plan.Entry.Protect.ECS.FamilyDays)...)
	if plan.Removals() > 0 {
		plan.Findings = append(plan.Findings, c.sharedFinding(ctx, plan.Entry.Protect)...)
	}
	if plan.Removals() > 0 && plan.Skip == nil {
		plan.Skip = used.unlistedAccount(ctx, plan.Entry.Protect)
	}
	return nil
}

// release adds requests for the released images, except those that a rule retains.
func (c *contents) release(g *graph.Graph, requests []*request) {
	for digest, reason := range c.released {
		if i, listed := c.listing.Position(digest); listed && requests[i] == nil {
			g.Release(digest)
			requests[i] = &request{action: Follow, reason: reason}
		}
	}
}

// protect returns the protections from the requests, and the actions wanted under them, by
// position.
func (u *imagesInUse) protect(requests []*request, settings config.Protect) (map[int][]Protection, []graph.Wanted) {
	protector := newProtector(u, settings)
	protections, wanted := map[int][]Protection{}, make([]graph.Wanted, len(requests))
	for i := range u.images {
		im, r := &u.images[i], requests[i]
		by := protector.protections(im)
		if r != nil && r.action == evaluator.Untag {
			by = append(by, u.protectTags(im, r.untag)...)
		}
		if len(by) > 0 {
			protections[i] = by
		}
		wanted[i] = graph.Wanted{Disposition: r.disposition(), Vetoed: len(by) > 0 || r != nil && r.retained}
	}
	return protections, wanted
}

func (c *contents) planned(g *graph.Graph, i int, r *request, decision graph.Decision, by []Protection) Image {
	im := Image{Image: c.images[i], Action: Follow, Reason: "no other image references it; deleted with " + decision.Related}
	if !decision.Follows {
		if decision.Blocker != "" {
			by = append(by, Protection{ProtectionKind(decision.Blocker), decision.Related})
		}
		im.Action, im.Rule, im.Reason, im.OnExpire, im.Untag, im.ProtectedBy = r.action, r.rule, r.reason, r.onExpire, r.untag, by
	}
	for _, parent := range g.Parents(im.Digest) { // archived parents allow archiving, all allow untagging
		if im.Action != evaluator.Untag && (!im.Archives() || parent.Status != evaluator.Archived) {
			im.Parents = append(im.Parents, parent.Digest)
		}
	}
	im.Above, im.Unread = g.Unread(i)
	im.Children = c.below(im.Digest)
	im.Read, im.ownPull = c.readOf(im.Digest), c.ownPulled[im.Digest]
	return im
}

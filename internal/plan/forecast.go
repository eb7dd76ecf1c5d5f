package plan

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A Forecast is what ECR itself would do in one repository, were a policy
// attached to it now. ECR spares nothing but what an index holds.
type Forecast struct {
	// Listed is the number of images listed, whatever their status.
	Listed int
	// Images are those that the policy marks, ordered by push time, the oldest
	// first.
	Images []ForecastImage
	// InUseUnknown is why it is not known which of them are in use, or nil.
	InUseUnknown *Skip
	// Scanned is when the in-use scan began; zero if there was none.
	Scanned time.Time
	// Findings are what came to light about what is in use, and is no failure.
	Findings []finding.Finding
}

// A ForecastImage is an image that the policy marks.
type ForecastImage struct {
	evaluator.Image
	// Action is what ECR would do; it is never evaluator.Keep.
	Action evaluator.Action
	// Rule is the priority of the rule that claimed the image.
	Rule   int
	Reason string
	// BlockedBy is an index that stays and lists the image, which ECR keeps
	// for its sake, or "".
	BlockedBy string
	// UsedBy is what uses the image, an image below it, or an index or a
	// subject to which it belongs; at most a few of many.
	UsedBy []string
}

// Forecast evaluates the policy as ECR would and asks the sources of the settings
// what is in use of that which it marks. It asks nobody when there is nothing.
func (p Planner) Forecast(ctx context.Context, repository string, policy lifecycle.Policy, protect config.Protect) (Forecast, error) {
	c, err := p.contents(ctx, repository)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{Listed: len(c.images)}
	// before manifests are read: to ECR the pull of an index is a pull
	for i, v := range evaluator.Evaluate(policy, c.images, p.Now) {
		if v.Action != evaluator.Keep {
			f.Images = append(f.Images, ForecastImage{Image: c.images[i], Action: v.Action, Rule: v.Rule.RulePriority, Reason: v.Why()})
		}
	}
	if len(f.Images) == 0 {
		return f, nil
	}
	if err := c.readManifests(ctx); err != nil {
		return Forecast{}, err
	}
	g := graph.New(c.images, c.children)
	used, doubt := p.inUse(ctx, c, g, protect)
	f.InUseUnknown, f.Scanned = cmp.Or(doubt, c.unreadInUse(&used)), used.at.Wall
	f.Findings = slices.Concat(c.manifestFindings(), used.findings, p.Scanner.HostFindings(repository, sourcesOf(protect)), p.sharedFinding(ctx, repository, protect))
	guard := newHolding(c, f.Images)
	for i := range f.Images {
		im := &f.Images[i]
		im.BlockedBy, im.UsedBy = guard.heldBy(im.Digest), used.users(g, im.Digest)
	}
	slices.SortFunc(f.Images, func(a, b ForecastImage) int {
		return cmp.Or(a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
	})
	return f, nil
}

// unreadInUse returns a doubt when something of the repository is in use and an
// index is not known: it may be above or below that.
func (c *contents) unreadInUse(used *inUse) *Skip {
	if len(used.by) == 0 {
		return nil
	}
	for i := range c.images {
		im := &c.images[i]
		if _, read := c.children[im.Digest]; !read && graph.IsIndex(*im) && im.Status == evaluator.Active {
			return &Skip{SkipScanFailed, "the manifest of the index " + im.Digest + " cannot be read, so that its children are not known"}
		}
	}
	return nil
}

// users returns what uses the image or one that it belongs to.
func (u *inUse) users(g *graph.Graph, digest string) []string {
	var by []string
	seen := map[string]bool{digest: true}
	for queue := []string{digest}; len(queue) > 0; queue = queue[1:] {
		for _, name := range u.by[queue[0]] {
			if !slices.Contains(by, name) {
				by = append(by, name)
			}
		}
		for _, parent := range g.Parents(queue[0]) {
			if !seen[parent.Digest] {
				seen[parent.Digest] = true
				queue = append(queue, parent.Digest)
			}
		}
	}
	return words.Few(by)
}

// A holding is ECR's: what an index lists cannot go further than the index.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
type holding struct {
	*contents
	marked  map[string]evaluator.Action
	indexes map[string][]string // by digest of a child
	known   map[string]string   // what holds found, by digest
}

func newHolding(c *contents, images []ForecastImage) holding {
	g := holding{c, map[string]evaluator.Action{}, map[string][]string{}, map[string]string{}}
	for i := range images {
		g.marked[images[i].Digest] = images[i].Action
	}
	for i := range c.images {
		for _, child := range c.children[c.images[i].Digest] {
			g.indexes[child] = append(g.indexes[child], c.images[i].Digest)
		}
	}
	return g
}

// heldBy returns an index that stays and lists the marked image, or "".
func (g holding) heldBy(digest string) string {
	if index, known := g.known[digest]; known {
		return index
	}
	g.known[digest] = "" // manifests can name each other in a circle only by fraud; here it is cut
	for _, index := range g.indexes[digest] {
		if g.disposition(index) < (&request{action: g.marked[digest]}).disposition() {
			g.known[digest] = index
			break
		}
	}
	return g.known[digest]
}

// disposition is how far the index goes; one in the archive already is there.
func (g holding) disposition(index string) graph.Disposition {
	fate := graph.Keep
	if i, _ := g.place(index); g.images[i].Status == evaluator.Archived {
		fate = graph.Archive
	}
	if g.heldBy(index) == "" {
		fate = max(fate, (&request{action: g.marked[index]}).disposition())
	}
	return fate
}

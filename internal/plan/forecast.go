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

// A Forecast is the effect of a policy if it were attached now. ECR protects no images,
// except those that a kept index lists.
type Forecast struct {
	Listed       int             // the number of listed images
	Images       []ForecastImage // by push time, the oldest first
	InUseUnknown *Skip           // why the images in use are not all known, or nil
	Scanned      time.Time       // when the in-use scan began; zero without a scan
	Findings     []finding.Finding
}

// A ForecastImage is an image that the policy marks.
type ForecastImage struct {
	evaluator.Image
	Action    evaluator.Action // never evaluator.Keep
	Rule      int              // the priority of the applied rule
	Reason    string
	BlockedBy string   // the digest of a kept index that lists the image, or ""
	UsedBy    []string // the users of the image and of related images, a few of many
}

// Forecast evaluates the policy as ECR would. If the policy marks images, it queries the
// in-use sources of the settings.
func (p Planner) Forecast(ctx context.Context, repository string, policy lifecycle.Policy, protect config.Protect) (Forecast, error) {
	c, err := p.contents(ctx, repository)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{Listed: len(c.images)}
	blockers := blockers{c, map[string]graph.Disposition{}, nil, map[string]string{}}
	for i, v := range evaluator.Evaluate(policy, c.images, p.Now) {
		if v.Action != evaluator.Keep {
			f.Images = append(f.Images, ForecastImage{Image: c.images[i], Action: v.Action, Rule: v.Rule.RulePriority, Reason: v.Why()})
			blockers.wanted[v.Digest] = (&request{action: v.Action}).disposition()
		}
	}
	if len(f.Images) == 0 {
		return f, nil
	}
	if err := c.readManifests(ctx); err != nil {
		return Forecast{}, err
	}
	used, skip := c.inUse(ctx, graph.New(c.images, c.children), protect)
	f.InUseUnknown, f.Scanned = cmp.Or(skip, used.unanswered, used.unreadIndex()), used.began.Wall
	f.Findings = slices.Concat(c.manifestFindings(), used.findings, p.Scanner.HostFindings(repository, protect.Sources()), c.sharedFinding(ctx, protect))
	blockers.indexes, _ = c.indexes()
	for i := range f.Images {
		im := &f.Images[i]
		im.BlockedBy, im.UsedBy = blockers.of(im.Digest), used.users(im.Digest)
	}
	slices.SortFunc(f.Images, func(a, b ForecastImage) int { return byPush(&a.Image, &b.Image) })
	return f, nil
}

// unreadIndex returns a Skip if an unread index may be related to an image in use.
func (u *imagesInUse) unreadIndex() *Skip {
	if len(u.by) == 0 {
		return nil
	}
	_, unread := u.indexes()
	for _, index := range unread {
		if index.Status == evaluator.Active {
			return &Skip{SkipScanFailed, "the manifest of the index " + index.Digest + " cannot be read; its children are not known"}
		}
	}
	return nil
}

// users returns the users of the image and of the images above it.
func (u *imagesInUse) users(digest string) []string {
	var by []string
	seen := map[string]bool{digest: true}
	for queue := []string{digest}; len(queue) > 0; queue = queue[1:] {
		for _, user := range u.by[queue[0]] {
			if !slices.Contains(by, user) {
				by = append(by, user)
			}
		}
		for _, parent := range u.graph.Parents(queue[0]) {
			if !seen[parent.Digest] {
				seen[parent.Digest] = true
				queue = append(queue, parent.Digest)
			}
		}
	}
	return words.Few(by)
}

// blockers finds indexes for which ECR keeps marked images. ECR deletes an image only if it
// deletes all indexes that list it, and archives it only if none of them stays active.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
type blockers struct {
	*contents
	wanted  map[string]graph.Disposition // by digest of a marked image
	indexes map[string][]string          // by digest of a child
	found   map[string]string            // results of the method of, by digest
}

func (b blockers) of(digest string) string {
	if index, known := b.found[digest]; known {
		return index
	}
	b.found[digest] = "" // in case forged manifests list each other
	for _, index := range b.indexes[digest] {
		if b.disposition(index) < b.wanted[digest] {
			b.found[digest] = index
			break
		}
	}
	return b.found[digest]
}

func (b blockers) disposition(index string) graph.Disposition {
	disposition := graph.Keep
	if i, _ := b.listing.Position(index); b.images[i].Status == evaluator.Archived {
		disposition = graph.Archive
	}
	if b.of(index) == "" {
		disposition = max(disposition, b.wanted[index])
	}
	return disposition
}

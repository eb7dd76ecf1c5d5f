package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

func attachedPolicy(ctx context.Context, registry Registry, repository string) (lifecycle.Policy, *Skip, error) {
	text, err := registry.PolicyText(ctx, repository)
	if errors.Is(err, ErrNoPolicy) {
		return lifecycle.Policy{}, &Skip{SkipNoPolicy, "no lifecycle policy is attached to it"}, nil
	}
	if err != nil {
		return lifecycle.Policy{}, nil, err
	}
	policy, problems := lifecycle.ParseText([]byte(text))
	return policy, invalid(problems), nil
}

// invalid returns the skip for a policy with faults, or nil.
func invalid(problems jsondoc.Problems) *Skip {
	if err := problems.Err(); err != nil {
		return &Skip{SkipInvalidPolicy, "attached lifecycle policy: " + err.Error()}
	}
	return nil
}

// attachedMarks returns ECR's own verdicts on the images of the contents, in their
// order. They are nil if nothing uses the repository or no policy is attached. ECR
// deletes the images that an attached policy marks, in use or not.
func (p Planner) attachedMarks(ctx context.Context, plan *Plan, c *contents, policy lifecycle.Policy) []evaluator.Action {
	if len(sourcesOf(plan.Entry.Protect)) == 0 || !p.Scanner.NamesImagesOf(ctx, c.repository) {
		return nil
	}
	if !plan.Attached {
		var ok bool
		if policy, ok = p.attachedBeside(ctx, plan, c); !ok {
			return nil
		}
	}
	marks := make([]evaluator.Action, len(c.images))
	for i, v := range evaluator.Evaluate(policy, c.images, p.Now) {
		marks[i] = v.Action
	}
	return marks
}

// attachedBeside finds out what is attached beside a policy of the configuration. It
// returns false when none is, or when it cannot be read.
func (p Planner) attachedBeside(ctx context.Context, plan *Plan, c *contents) (lifecycle.Policy, bool) {
	c.readBeside = true
	policy, skip, err := attachedPolicy(ctx, p.Registry, plan.Repository)
	plan.Attached = err == nil && (skip == nil || skip.Code == SkipInvalidPolicy)
	switch {
	case err != nil:
		plan.unknownAttached(err.Error())
	case plan.Attached && skip != nil:
		plan.unknownAttached(skip.Message)
	}
	return policy, err == nil && skip == nil
}

func (p *Plan) unknownAttached(why string) {
	p.Findings = append(p.Findings, finding.Finding{Kind: finding.AttachedMarksInUse, Repository: p.Repository, Message: "what ECR itself will remove is not known: " + why})
}

// attachedFindings names the images in use, and what belongs to indexes in use,
// that the attached policy marks.
func (p *Plan) attachedFindings(c *contents, g *graph.Graph, used *inUse) {
	for i, action := range c.marks {
		digest := c.images[i].Digest
		by, through := used.by[digest], ""
		if len(by) == 0 {
			through, by = used.above(g, digest)
		}
		if action != evaluator.Keep && len(by) > 0 {
			p.Findings = append(p.Findings, finding.Finding{
				Kind: finding.AttachedMarksInUse, Repository: p.Repository,
				Message: fmt.Sprintf("ECR itself will %s %s, which is %sin use by %s", action, digest, through, strings.Join(words.Few(by), ", ")),
			})
		}
	}
}

// above returns what uses an index that lists the image, and says so in words.
func (u *inUse) above(g *graph.Graph, digest string) (through string, by []string) {
	for _, index := range g.Ancestors(digest) {
		if len(u.by[index]) > 0 {
			return "a child of " + index + ", ", u.by[index]
		}
	}
	return "", nil
}

// marksAny reports whether any image is marked.
func marksAny(actions []evaluator.Action) bool {
	return slices.ContainsFunc(actions, func(a evaluator.Action) bool { return a != evaluator.Keep })
}

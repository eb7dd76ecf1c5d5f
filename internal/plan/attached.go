package plan

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// evaluateAttached returns the verdicts of the attached policy with an action, or nil if no
// image of the repository is in use. ECR applies the policy to images in use as well.
func (c *contents) evaluateAttached(ctx context.Context, plan *Plan, policy lifecycle.Policy) []evaluator.Verdict {
	if len(plan.Entry.Protect.Sources()) == 0 || !c.Scanner.NamesImagesOf(ctx, c.repository) {
		return nil
	}
	if !plan.Attached {
		var valid bool
		if policy, valid = c.readAttached(ctx, plan); !valid {
			return nil
		}
	}
	keeps := func(v evaluator.Verdict) bool { return v.Action == evaluator.Keep }
	return slices.DeleteFunc(evaluator.Evaluate(policy, c.images, c.Now), keeps)
}

// readAttached returns the attached policy if the entry has its own, and false if there is
// none or it cannot be read.
func (c *contents) readAttached(ctx context.Context, plan *Plan) (lifecycle.Policy, bool) {
	c.attachedRead = true
	policy, skip, err := attachedPolicy(ctx, c.Registry, c.repository)
	plan.Attached = isAttached(skip, err)
	if plan.Attached && skip != nil {
		err = errors.New(skip.Message)
	}
	if err != nil {
		plan.Findings = append(plan.Findings, c.finding(finding.AttachedMarksInUse, "it is not known whether ECR itself will remove images in use: %v", err))
	}
	return policy, err == nil && skip == nil
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
	var skip *Skip
	if invalid := problems.Err(); invalid != nil {
		skip = &Skip{SkipInvalidPolicy, "attached lifecycle policy: " + invalid.Error()}
	}
	return policy, skip, nil
}

// isAttached reports whether attachedPolicy found a policy, valid or not.
func isAttached(skip *Skip, err error) bool {
	return err == nil && (skip == nil || skip.Code == SkipInvalidPolicy)
}

// attachedFindings returns a finding for each image that ECR will remove although it or an
// index above it is in use.
func (u *imagesInUse) attachedFindings() []finding.Finding {
	var findings []finding.Finding
	for _, v := range u.attachedVerdicts {
		users, child := u.by[v.Digest], ""
		if len(users) == 0 {
			var index string
			index, users = u.indexAbove(v.Digest)
			child = "a child of " + index + ", "
		}
		if len(users) > 0 {
			findings = append(findings, u.finding(finding.AttachedMarksInUse,
				"ECR itself will %s %s, which is %sin use by %s", v.Action, v.Digest, child, strings.Join(words.Few(users), ", ")))
		}
	}
	return findings
}

package plan

import (
	"context"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// evaluateAttached returns the actions of the attached policy, by position, because ECR
// applies it to images in use as well. It returns nil if none is in use or attached.
func (c *contents) evaluateAttached(ctx context.Context, plan *Plan, policy lifecycle.Policy) []evaluator.Action {
	if len(sourcesOf(plan.Entry.Protect)) == 0 || !c.Scanner.NamesImagesOf(ctx, c.repository) {
		return nil
	}
	if !plan.Attached {
		var valid bool
		if policy, valid = c.readAttached(ctx, plan); !valid {
			return nil
		}
	}
	actions := make([]evaluator.Action, len(c.images))
	for i, v := range evaluator.Evaluate(policy, c.images, c.Now) {
		actions[i] = v.Action
	}
	return actions
}

// readAttached returns the policy that is attached beside a policy of the entry, and false
// if there is none or it cannot be read.
func (c *contents) readAttached(ctx context.Context, plan *Plan) (lifecycle.Policy, bool) {
	c.attachedRead = true
	policy, skip, err := attachedPolicy(ctx, c.Registry, c.repository)
	plan.Attached = isAttached(skip, err)
	why := ""
	switch {
	case err != nil:
		why = err.Error()
	case plan.Attached && skip != nil:
		why = skip.Message
	}
	if why != "" {
		plan.Findings = append(plan.Findings, c.finding(finding.AttachedMarksInUse, "it is not known whether ECR itself will remove images in use: %s", why))
	}
	return policy, err == nil && skip == nil
}

// attachedFindings returns a finding for each image that the attached policy marks and
// that is in use or below an index in use.
func (u *imagesInUse) attachedFindings() []finding.Finding {
	var findings []finding.Finding
	for i, action := range u.attachedActions {
		digest := u.images[i].Digest
		users, child := u.by[digest], ""
		if len(users) == 0 {
			var index string
			if index, users = u.indexAbove(digest); index != "" {
				child = "a child of " + index + ", "
			}
		}
		if action != evaluator.Keep && len(users) > 0 {
			findings = append(findings, u.finding(finding.AttachedMarksInUse,
				"ECR itself will %s %s, which is %sin use by %s", action, digest, child, strings.Join(words.Few(users), ", ")))
		}
	}
	return findings
}

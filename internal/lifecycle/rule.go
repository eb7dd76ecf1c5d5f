package lifecycle

import "github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"

// maxRules is ECR's quota of rules per policy, which cannot be raised:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const maxRules = 50

// maxInt is the greatest rulePriority and countNumber. AWS names none; this is
// what a 32-bit integer holds.
const maxInt = 1<<31 - 1

// minArchiveDays is the least countNumber of sinceImageTransitioned:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html
const minArchiveDays = 90

// A draft is a rule as far as it could be read, with the values that later
// checks point at. A field of the rule that could not be read, or that must not
// be relied on, is zero, which is no legal value of any field in the grammar
// but description.
type draft struct {
	RulePriority int
	Description  string
	Selection
	Action

	priority  *jsondoc.Value
	tagStatus *jsondoc.Value
	// tagList is the list of a tagged rule that has just one.
	tagList *jsondoc.Value
}

func readPolicy(v *jsondoc.Value) Policy {
	o, ok := v.Object("rules")
	if !ok {
		return Policy{}
	}
	rules := o.Require("rules")
	items, ok := rules.Array()
	if n := len(items); ok && n == 0 || n > maxRules {
		rules.Problem("must have from 1 to %d rules, has %d", maxRules, n)
	}
	drafts := make([]draft, len(items))
	for i, item := range items {
		drafts[i] = readRule(item)
	}
	checkAcross(drafts)
	var p Policy
	for _, d := range drafts {
		p.Rules = append(p.Rules, Rule{d.RulePriority, d.Description, d.Selection, d.Action})
	}
	return p
}

func readRule(v *jsondoc.Value) draft {
	var d draft
	o, ok := v.Object("rulePriority", "description", "selection", "action")
	if !ok {
		return d
	}
	d.priority = o.Require("rulePriority")
	d.RulePriority, _ = d.priority.Int(1, maxInt)
	d.Description, _ = o.Get("description").String()
	selection, action := o.Require("selection"), o.Require("action")
	d.readSelection(selection, retains(action))
	d.readAction(action)
	return d
}

func (d *draft) readAction(v *jsondoc.Value) {
	o, ok := v.Object("type", "targetStorageClass")
	if !ok {
		return
	}
	kind, target := o.Require("type"), o.Get("targetStorageClass")
	if !refuseAction(kind) {
		d.Type = oneOf(kind, Expire, Transition)
	}
	switch {
	case d.Type == "" || d.refuseCombination(kind):
		oneOf(target, ArchiveClass)
	case d.Type == Expire:
		mustBeAbsent(target, `with action type "expire"`)
	default:
		target = o.RequireBecause("targetStorageClass", `"transition" needs "archive"`)
		d.TargetStorageClass = oneOf(target, ArchiveClass)
	}
}

// refuseCombination records a problem, and returns true, if the action's type
// and the count type do not go together.
func (d *draft) refuseCombination(kind *jsondoc.Value) bool {
	switch {
	case d.CountType == SinceImagePulled && d.Type == Expire:
		kind.Problem(`"expire" with "sinceImagePulled" %s; for ECR use "transition" with targetStorageClass "archive"`, isExtension)
	case d.CountType == SinceImageTransitioned && d.Type == Transition:
		kind.Problem(`must be "expire" with countType "sinceImageTransitioned", whose images are in the archive already`)
	default:
		return false
	}
	return true
}

// oneOf reads a string that is among the allowed ones, or returns "".
func oneOf[T ~string](v *jsondoc.Value, allowed ...T) T {
	texts := make([]string, len(allowed))
	for i, a := range allowed {
		texts[i] = string(a)
	}
	s, _ := v.OneOf(texts...)
	return T(s)
}

// mustBeAbsent records a problem if there is a value, whatever it is.
func mustBeAbsent(v *jsondoc.Value, where string) {
	switch {
	case v.IsNull():
		v.Problem("is null; leave the key out %s", where)
	case v != nil:
		v.Problem("must be left out %s", where)
	}
}

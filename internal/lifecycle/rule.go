package lifecycle

import (
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// maxRules is ECR's quota of rules per policy, which cannot be raised:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const maxRules = 50

// maxInt is the greatest rulePriority and countNumber. AWS documents no maximum; this
// is the greatest 32-bit integer.
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

	dialect     Dialect
	priority    *jsondoc.Value
	selection   *jsondoc.Value
	tagStatus   *jsondoc.Value
	countNumber *jsondoc.Value
	// tagList is the value by which the rule is compared with others: the list of a
	// tagged rule with exactly one list, the tag status of a tagged rule without a list,
	// or the excluded patterns of a rule for any other image.
	tagList *jsondoc.Value
	// listless is true for a rule that has no list and needs none.
	listless bool
	// excluding is true for a rule that names excluded patterns, legal or not.
	excluding bool
}

// notOfPolicies are keys that show that a document is not a policy, with the hint for
// each.
var notOfPolicies = map[string]string{
	"policies": "is a key of a configuration: check one with check --config, or copy a policy of it into a file of its own",
	"lifecyclePolicyText": `holds the policy as text: "aws ecr get-lifecycle-policy" prints that text alone ` +
		"with --query lifecyclePolicyText --output text",
}

func readPolicy(v *jsondoc.Value, dialect Dialect) Policy {
	o, ok := v.ObjectRefusing(notOfPolicies, "rules")
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
		drafts[i] = readRule(item, dialect)
	}
	checkAcross(v, drafts)
	var p Policy
	for _, d := range drafts {
		p.Rules = append(p.Rules, Rule{d.RulePriority, d.Description, d.Selection, d.Action})
	}
	return p
}

func readRule(v *jsondoc.Value, dialect Dialect) draft {
	d := draft{dialect: dialect}
	o, ok := v.Object("rulePriority", "description", "selection", "action")
	if !ok {
		return d
	}
	d.priority = o.Require("rulePriority")
	d.RulePriority = d.readInt(d.priority, 1)
	d.Description, _ = o.Get("description").String()
	d.selection = o.Require("selection")
	action := o.Require("action")
	d.readSelection(d.selection, retains(action))
	d.readAction(action)
	d.warnGuard()
	return d
}

func (d *draft) readAction(v *jsondoc.Value) {
	o, ok := v.Object("type", "targetStorageClass")
	if !ok {
		return
	}
	kind, target := o.Require("type"), o.Get("targetStorageClass")
	if !d.refuseAction(kind) {
		d.Type = oneOf(kind, actionTypes[d.dialect]...)
	}
	switch {
	case d.Type == "" || d.refuseCombination(kind):
		oneOf(target, ArchiveClass)
	case d.Type == Transition:
		target = o.RequireBecause("targetStorageClass", `"transition" needs "archive"`)
		d.TargetStorageClass = oneOf(target, ArchiveClass)
	default:
		mustBeAbsent(target, fmt.Sprintf("with action type %q", d.Type))
	}
}

// actionTypes are the values of action.type in each dialect.
var actionTypes = [...][]ActionType{
	AWS:      {Expire, Transition},
	Extended: {Expire, Transition, Retain, Untag},
}

// refuseCombination records a problem, and returns true, if the action's type
// does not go with the selection.
func (d *draft) refuseCombination(kind *jsondoc.Value) bool {
	switch {
	case d.CountType == SinceImagePulled && d.Type == Expire && d.dialect == AWS:
		kind.Problem(`"expire" with "sinceImagePulled" %s; for ECR use "transition" with targetStorageClass "archive"`, isExtension)
	case d.CountType == SinceImageTransitioned && d.Type == Transition:
		kind.Problem(`must be "expire" with countType "sinceImageTransitioned", whose images are in the archive already`)
	case d.Type == Untag && d.listless:
		kind.Problem(`"untag" removes the tags that match a list; use tagStatus "tagged" and a list, such as "tagPatternList": ["dev-*"]`)
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

// mustBeAbsent records a problem if there is any value.
func mustBeAbsent(v *jsondoc.Value, where string) {
	switch {
	case v.IsNull():
		v.Problem("is null; leave the key out %s", where)
	case v != nil:
		v.Problem("must be left out %s", where)
	}
}

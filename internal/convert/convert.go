// Package convert converts a policy of the extended dialect to one in AWS's dialect, which
// ECR can apply. Every image gets the same verdict from both. A part of the policy without
// an equivalent is a fault, and the policy is not converted.
//
// # Equivalents
//
//   - retain becomes a guard rule: imageCountMoreThan [Never]. It marks nothing, and later
//     rules never act on its images. ECR cannot count archived images.
//   - tagged without a list becomes the pattern *.
//   - tagMatch "any" becomes one rule per entry. A rule that counts images can have one
//     entry only, because each rule would keep countNumber images.
//   - An expression of literals, .* and alternatives of these becomes the patterns that
//     match the same tags.
//   - An excluded pattern of an age rule becomes a guard before the rule, unless a later rule
//     may act on the images. A rule that retains needs no guard. A rule that counts has no
//     equivalent, because it would count the excluded images.
//
// keepNewest, untag, and expire by last pull have no equivalent.
//
// The result does not contain rules that never act: ECR accepts neither two rules with the
// same list nor a rule after the one for any image.
package convert

import (
	"cmp"
	"math"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Never is the countNumber of guards. It is far above ECR's quota of 100,000 images per
// repository, which AWS can raise, and below the greatest 32-bit integer.
const Never = 1_000_000_000

// Policy returns the equivalent of the policy in AWS's dialect. If there is a fault, the
// Policy is zero. Otherwise [lifecycle.ParseText] accepts its JSON form. Rules that get
// another number or are omitted are warnings. A policy without extensions does not change.
func Policy(text []byte) (lifecycle.Policy, jsondoc.Problems) {
	text = jsondoc.WithoutComments(text)
	policy, problems := lifecycle.Parse(text, lifecycle.Extended)
	if problems.Err() != nil {
		return lifecycle.Policy{}, problems
	}
	doc := jsondoc.Parse(text)
	c := newConversion(lifecycle.FromValue(doc.Root(), lifecycle.Extended), doc)
	if _, aws := lifecycle.Parse(text, lifecycle.AWS); aws.Err() != nil {
		policy = c.convert()
	}
	if !doc.Root().Faulty() {
		checkText(policy, doc)
	}
	if doc.Root().Faulty() {
		policy = lifecycle.Policy{}
	}
	return policy, doc.Problems()
}

// checkText checks that ECR accepts the result: its number of rules and its length.
func checkText(policy lifecycle.Policy, doc *jsondoc.Document) {
	text, _ := policy.MarshalJSON() // cannot fail, because it has strings and numbers only
	_, problems := lifecycle.ParseText(text)
	for _, p := range problems {
		if !p.Warning {
			doc.Root().Problem("would be no policy of ECR's: %s", p.Message)
		}
	}
}

// A conversion is the state of one call of Policy.
type conversion struct {
	rules []rule // ordered by rulePriority
	doc   *jsondoc.Document
}

// A rule is a rule of the policy with its place in the document.
type rule struct {
	lifecycle.Rule
	value      *jsondoc.Value
	equivalent []lifecycle.Rule // the rules in AWS's dialect that replace the rule
}

func newConversion(policy lifecycle.Policy, doc *jsondoc.Document) *conversion {
	c := &conversion{doc: doc, rules: make([]rule, len(policy.Rules))}
	values, _ := doc.Root().Member("rules").Array()
	for i, r := range policy.Rules {
		c.rules[i] = rule{Rule: r, value: values[i]}
	}
	slices.SortFunc(c.rules, func(a, b rule) int { return cmp.Compare(a.RulePriority, b.RulePriority) })
	return c
}

func (c *conversion) convert() lifecycle.Policy {
	for i := range c.rules {
		c.rules[i].refuse()
		c.rules[i].equivalent = slices.Concat(c.guards(i), c.rules[i].alternatives())
	}
	if c.doc.Root().Faulty() {
		return lifecycle.Policy{}
	}
	if len(c.result().Rules) <= maxCompared {
		c.omitInactive()
	}
	c.number()
	return c.result()
}

func (c *conversion) result() lifecycle.Policy {
	var policy lifecycle.Policy
	for _, r := range c.rules {
		policy.Rules = append(policy.Rules, r.equivalent...)
	}
	return policy
}

// omitInactive removes the rules whose images earlier rules decide.
func (c *conversion) omitInactive() {
	var earlier []lifecycle.Rule
	for i := range c.rules {
		r := &c.rules[i]
		r.equivalent = slices.DeleteFunc(r.equivalent, func(e lifecycle.Rule) bool {
			covered := slices.ContainsFunc(earlier, func(other lifecycle.Rule) bool { return other.Selection.Covers(&e.Selection) })
			if !covered {
				earlier = append(earlier, e)
			}
			return covered
		})
		if len(r.equivalent) == 0 {
			r.value.Warn("is left out of the result, in which it would never act")
		}
	}
}

// number gives each rule the rulePriority it had, or else the next free number.
func (c *conversion) number() {
	if !c.numberFrom(func(r *rule) int { return r.RulePriority }) {
		c.numberFrom(func(*rule) int { return 1 })
	}
	for _, r := range c.rules {
		if len(r.equivalent) > 0 && r.equivalent[0].RulePriority != r.RulePriority {
			r.value.Member("rulePriority").Warn("is %d in the result, because other rules need more numbers",
				r.equivalent[0].RulePriority)
		}
	}
}

// numberFrom numbers the rules, each from its least number. It returns false if there are not
// enough numbers.
func (c *conversion) numberFrom(least func(*rule) int) bool {
	last := 0
	for i := range c.rules {
		r := &c.rules[i]
		for k := range r.equivalent {
			last = max(last+1, least(r))
			r.equivalent[k].RulePriority = last
		}
	}
	return last <= math.MaxInt32
}

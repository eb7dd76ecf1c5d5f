// Package convert turns a policy of the extended dialect into one in AWS's that
// gives every image the same verdict, for whoever wants ECR to apply it. Where
// AWS's dialect cannot say the same, it says so and converts nothing: an
// equivalent that keeps less, or more, is none.
//
// # Equivalents
//
//   - retain is a guard rule: imageCountMoreThan [Never], a number that is not
//     reached, so that the rule marks nothing and shields all it matches. There is
//     none for archived images, which ECR does not count.
//   - tagged without a list is the pattern *.
//   - tagMatch "any" is one rule for each entry, with the same age and action: the
//     first that matches an image decides as all the others would. Rules that count
//     images would each keep countNumber of their own, so for them only entries
//     that another one covers may go, until one is left.
//   - an expression is the patterns that match the same tags, if there are some:
//     literals, .* and alternatives of these.
//   - an excluded pattern of an age rule is a guard rule in front of it. The guard
//     shields from all later rules, so none of these may act on an image with such
//     a tag. A rule that retains needs no guard then, since nobody else is after
//     these images; of a rule that counts the excluded images would take places.
//
// keepNewest, untag, and expire by last pull have none.
//
// A rule that can never act in the result is left out: ECR does not take two
// rules with the same list, nor one behind a rule for any image.
package convert

import (
	"cmp"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Never is the countNumber of guard rules. ECR's quota of images per
// repository, 100,000, can be raised, so that it bounds nothing; no quota comes
// near this. It is below the greatest integer that ECR is known to take, so that
// no sum in ECR overflows.
const Never = 1_000_000_000

// Policy returns the equivalent of a policy in AWS's dialect. The problems are
// those of the text, a fault for each part that has no equivalent, and a warning
// for each rule that gets another number or is left out. The Policy is the zero
// Policy if one of them is a fault; otherwise [lifecycle.ParseText] accepts its
// JSON form. A policy without extensions is returned as it is.
func Policy(text []byte) (lifecycle.Policy, jsondoc.Problems) {
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

// checkText holds the result to what ECR takes of any policy: its number of
// rules, its length.
func checkText(policy lifecycle.Policy, doc *jsondoc.Document) {
	text, _ := policy.MarshalJSON() // of strings and numbers, which cannot fail
	_, problems := lifecycle.ParseText(text)
	for _, p := range problems {
		if !p.Warning {
			doc.Root().Problem("would be no policy of ECR's: %s", p.Message)
		}
	}
}

// A conversion is the state of one call of Policy.
type conversion struct {
	// rules are ordered by rulePriority.
	rules []rule
	doc   *jsondoc.Document
}

// A rule is one of the policy and where it stands.
type rule struct {
	lifecycle.Rule
	value *jsondoc.Value
	// equivalent are rules in AWS's dialect that together do the same.
	equivalent []lifecycle.Rule
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
		c.leaveOut()
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

// leaveOut takes out the rules that an earlier one leaves no image.
func (c *conversion) leaveOut() {
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

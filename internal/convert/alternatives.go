package convert

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// maxRules is ECR's quota of rules per policy. What takes more is not worked
// out.
const maxRules = 50

// alternatives returns rules without extensions of which each matches a part of
// what the rule matches, without the excluded tags, and together all of it. If
// there are several, the count type must not mind.
func (r *rule) alternatives() []lifecycle.Rule {
	s := r.Selection
	switch {
	case s.TagStatus == lifecycle.Tagged && len(s.TagPatternList)+len(s.TagPrefixList)+len(s.TagRegexList) == 0:
		return []lifecycle.Rule{r.withPatterns("*")}
	case s.TagRegexList != nil:
		return r.separate("tagRegexList", r.ofExpressions())
	case s.TagMatchAny:
		return r.separate("tagMatch", r.ofEntries())
	}
	return []lifecycle.Rule{r.plain()}
}

// ofEntries returns one rule for each entry of the list.
func (r *rule) ofEntries() []lifecycle.Rule {
	var rules []lifecycle.Rule
	for _, p := range r.Selection.TagPatternList {
		rules = append(rules, r.withPatterns(p.String()))
	}
	for _, prefix := range r.Selection.TagPrefixList {
		p := r.plain()
		p.Selection.TagPrefixList = []string{prefix}
		rules = append(rules, p)
	}
	return rules
}

// ofExpressions returns one rule for each way to meet the expressions with
// patterns: one entry of one expression, or one entry of each.
func (r *rule) ofExpressions() []lifecycle.Rule {
	ways := [][]string{nil}
	if r.Selection.TagMatchAny {
		ways = nil
	}
	items, _ := r.member("tagRegexList").Array()
	for i, x := range r.Selection.TagRegexList {
		patterns, ok := patternsOf(x.String())
		switch {
		case !ok:
			items[i].Problem("has no equivalent: in ECR's patterns * is the only special character, four times at most; " +
				"use literals, .* and alternatives of these")
		case r.Selection.TagMatchAny:
			ways = append(ways, product([][]string{nil}, patterns)...)
		case len(ways)*len(patterns) <= maxRules:
			ways = product(ways, patterns)
		default:
			items[i].Problem("has no equivalent: together the expressions make more than %d rules", maxRules)
		}
	}
	rules := make([]lifecycle.Rule, len(ways))
	for i, way := range ways {
		rules[i] = r.withPatterns(way...)
	}
	return rules
}

// product returns each way with each of the patterns.
func product(ways [][]string, patterns []string) [][]string {
	var longer [][]string
	for _, way := range ways {
		for _, p := range patterns {
			if slices.Contains(way, p) {
				longer = append(longer, way)
			} else {
				longer = append(longer, append(slices.Clip(way), p))
			}
		}
	}
	return longer
}

func (r *rule) withPatterns(texts ...string) lifecycle.Rule {
	p := r.plain()
	p.Selection.TagRegexList, p.Selection.TagPatternList = nil, nil
	for _, text := range texts {
		pattern, _ := lifecycle.ParseTagPattern(text) // from the policy, or checked by patternsOf
		p.Selection.TagPatternList = append(p.Selection.TagPatternList, pattern)
	}
	return p
}

// maxCompared bounds the time that lists of any length can take. More rules than
// that are not compared with each other: too many are left anyway.
const maxCompared = 500

// separate leaves out the rules that match no more than another one. If several
// are left, it refuses them for a rule that counts. The member is what asks for
// alternatives.
func (r *rule) separate(member string, rules []lifecycle.Rule) []lifecycle.Rule {
	var needed []lifecycle.Rule
	if len(rules) > maxCompared {
		r.member(member).Problem("has no equivalent: it makes %d rules, and a policy of ECR's has at most %d", len(rules), maxRules)
		return nil
	}
	for i, rule := range rules {
		covered := func(other lifecycle.Rule) bool { return other.Selection.Covers(&rule.Selection) }
		if !slices.ContainsFunc(needed, covered) && !slices.ContainsFunc(rules[i+1:], func(other lifecycle.Rule) bool {
			return covered(other) && !rule.Selection.Covers(&other.Selection)
		}) {
			needed = append(needed, rule)
		}
	}
	if len(needed) > 1 && r.counts() {
		r.member(member).Problem(`has no equivalent with "imageCountMoreThan": of several rules, one for each alternative, `+
			"each would keep %d images of its own; use one pattern, or an age", r.Selection.CountNumber)
	}
	return needed
}

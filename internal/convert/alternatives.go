package convert

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// maxRules is ECR's quota of rules per policy. A rule with more alternatives is refused.
const maxRules = 50

// maxCompared bounds the time for lists of any length. More rules are not compared with
// each other, because too many would remain anyway.
const maxCompared = 500

const tooManyRules = "has no equivalent: it makes %d rules, and a policy of ECR's has at most %d"

// alternatives returns rules without extensions that together match the same images as the
// rule, except for excluded tags. There are several only if the rule does not count.
func (r *rule) alternatives() []lifecycle.Rule {
	s := r.Selection
	switch {
	case s.TagStatus == lifecycle.Tagged && len(s.Entries()) == 0:
		return []lifecycle.Rule{r.withPatterns("*")}
	case s.TagRegexList != nil:
		return r.needed("tagRegexList", r.ofExpressions())
	case s.TagMatchAny:
		return r.needed("tagMatch", r.ofEntries())
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

// ofExpressions returns one rule for each combination of one pattern of each expression or,
// with tagMatch "any", for each pattern.
func (r *rule) ofExpressions() []lifecycle.Rule {
	combinations := [][]string{nil}
	if r.Selection.TagMatchAny {
		combinations = nil
	}
	items, _ := r.member("tagRegexList").Array()
	for i, x := range r.Selection.TagRegexList {
		patterns, ok := patternsOf(x.String())
		switch {
		case !ok:
			items[i].Problem("has no equivalent: in ECR's patterns * is the only special character, four times at most; " +
				"use literals, .* and alternatives of these")
		case r.Selection.TagMatchAny:
			combinations = append(combinations, product([][]string{nil}, patterns)...)
		case len(combinations)*len(patterns) <= maxRules:
			combinations = product(combinations, patterns)
		default:
			items[i].Problem("has no equivalent: together the expressions make more than %d rules", maxRules)
		}
	}
	rules := make([]lifecycle.Rule, len(combinations))
	for i, patterns := range combinations {
		rules[i] = r.withPatterns(patterns...)
	}
	return rules
}

// product returns each combination with each of the patterns added.
func product(combinations [][]string, patterns []string) [][]string {
	var longer [][]string
	for _, c := range combinations {
		for _, p := range patterns {
			if slices.Contains(c, p) {
				longer = append(longer, c)
			} else {
				longer = append(longer, append(slices.Clip(c), p))
			}
		}
	}
	return longer
}

// withPatterns returns the rule with these valid patterns as its list.
func (r *rule) withPatterns(texts ...string) lifecycle.Rule {
	p := r.plain()
	p.Selection.TagRegexList, p.Selection.TagPatternList = nil, nil
	for _, text := range texts {
		pattern, _ := lifecycle.ParseTagPattern(text)
		p.Selection.TagPatternList = append(p.Selection.TagPatternList, pattern)
	}
	return p
}

// needed returns the rules that match images that no other one matches. Several rules cannot
// replace one that counts.
func (r *rule) needed(member string, rules []lifecycle.Rule) []lifecycle.Rule {
	var needed []lifecycle.Rule
	if len(rules) > maxCompared {
		r.member(member).Problem(tooManyRules, len(rules), maxRules)
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
			"each would keep %d images; use one pattern, or an age", r.Selection.CountNumber)
	}
	return needed
}

package attach

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// canonical returns a text that is the same for policies that mean the same.
func canonical(p lifecycle.Policy) string {
	rules := sorted(p)
	for i := range rules {
		s := &rules[i].Selection
		s.TagPatternList = slices.CompactFunc(slices.SortedFunc(slices.Values(s.TagPatternList), func(a, b lifecycle.TagPattern) int {
			return cmp.Compare(a.String(), b.String())
		}), lifecycle.TagPattern.Equal)
		s.TagPrefixList = slices.Compact(slices.Sorted(slices.Values(s.TagPrefixList)))
	}
	text, _ := json.Marshal(lifecycle.Policy{Rules: rules}) // every policy has a text
	return string(text)
}

// sorted returns the rules in the order of their priorities.
func sorted(p lifecycle.Policy) []lifecycle.Rule {
	return slices.SortedFunc(slices.Values(p.Rules), func(a, b lifecycle.Rule) int {
		return cmp.Compare(a.RulePriority, b.RulePriority)
	})
}

// sameRule reports whether both rules mean the same.
func sameRule(a, b lifecycle.Rule) bool {
	return canonical(lifecycle.Policy{Rules: []lifecycle.Rule{a}}) == canonical(lifecycle.Policy{Rules: []lifecycle.Rule{b}})
}

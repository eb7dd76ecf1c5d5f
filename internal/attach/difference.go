package attach

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A Line is a rule in words.
type Line struct {
	Sign string `json:"sign"` // "-" if the change removes the rule, "+" if it adds it, or " "
	Rule string `json:"rule"`
}

// Difference returns the rules before and after the change, by priority.
func (r *Repository) Difference() []Line {
	before, after := sorted(r.Before.Policy), sorted(r.After.Policy)
	lines := []Line{}
	if r.Before.Fault != "" {
		lines = append(lines, Line{"-", "a policy that cannot be read: " + r.Before.Fault})
	}
	for len(before)+len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].RulePriority < after[0].RulePriority:
			lines = append(lines, Line{"-", inWords(before[0])})
			before = before[1:]
		case len(before) == 0 || after[0].RulePriority < before[0].RulePriority:
			lines = append(lines, Line{"+", inWords(after[0])})
			after = after[1:]
		case canonical(lifecycle.Policy{Rules: before[:1]}) == canonical(lifecycle.Policy{Rules: after[:1]}):
			lines = append(lines, Line{" ", inWords(after[0])})
			before, after = before[1:], after[1:]
		default:
			lines = append(lines, Line{"-", inWords(before[0])}, Line{"+", inWords(after[0])})
			before, after = before[1:], after[1:]
		}
	}
	return lines
}

// inWords describes a rule, such as "rule 1 "old": expire images pushed more than 9 days ago".
func inWords(r lifecycle.Rule) string {
	description := ""
	if r.Description != "" {
		description = fmt.Sprintf(" %q", r.Description)
	}
	return fmt.Sprintf("rule %d%s: %s", r.RulePriority, description, meaning(r))
}

func meaning(r lifecycle.Rule) string {
	verb := "expire"
	if r.Action.Type == lifecycle.Transition {
		verb = "archive"
	}
	return strings.Join([]string{verb, selects(r.Selection), counted(r.Selection)}, " ")
}

func selects(s lifecycle.Selection) string {
	switch {
	case len(s.TagPatternList) > 0:
		return "images tagged " + strings.Join(lifecycle.Texts(s.TagPatternList), " and ")
	case len(s.TagPrefixList) > 0:
		return "images tagged " + strings.Join(s.TagPrefixList, "… and ") + "…"
	case s.TagStatus == lifecycle.Any:
		return "images"
	}
	return string(s.TagStatus) + " images"
}

func counted(s lifecycle.Selection) string {
	days := words.Count(s.CountNumber, "day", "days")
	switch s.CountType {
	case lifecycle.ImageCountMoreThan:
		return fmt.Sprintf("beyond the newest %d", s.CountNumber)
	case lifecycle.SinceImagePulled:
		return "not pulled for " + days
	case lifecycle.SinceImageTransitioned:
		return "archived more than " + days + " ago"
	case lifecycle.SinceImagePushed:
	}
	return "pushed more than " + days + " ago"
}

// canonical returns a text that is equal for policies with the same rules.
func canonical(p lifecycle.Policy) string {
	rules := sorted(p)
	byText := func(a, b lifecycle.TagPattern) int { return cmp.Compare(a.String(), b.String()) }
	for i := range rules {
		s := &rules[i].Selection
		patterns := slices.SortedFunc(slices.Values(s.TagPatternList), byText)
		s.TagPatternList = slices.CompactFunc(patterns, lifecycle.TagPattern.Equal)
		s.TagPrefixList = slices.Compact(slices.Sorted(slices.Values(s.TagPrefixList)))
	}
	text, _ := json.Marshal(lifecycle.Policy{Rules: rules}) // every policy has a text
	return string(text)
}

func sorted(p lifecycle.Policy) []lifecycle.Rule {
	return slices.SortedFunc(slices.Values(p.Rules), func(a, b lifecycle.Rule) int {
		return cmp.Compare(a.RulePriority, b.RulePriority)
	})
}

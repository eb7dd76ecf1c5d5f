package attach

import (
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A Line is one rule that goes, comes or stays.
type Line struct {
	// Sign is "-", "+" or " ".
	Sign string `json:"sign"`
	// Rule is the rule in words.
	Rule string `json:"rule"`
}

// Difference says rule by rule, in the order of the priorities, what the change
// takes away and what it adds.
func (r *Repository) Difference() []Line {
	before, after := sorted(r.Before.Policy), sorted(r.After.Policy)
	lines := []Line{}
	if r.Before.Fault != "" {
		lines = append(lines, Line{"-", "a policy that cannot be read: " + r.Before.Fault})
	}
	for len(before)+len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].RulePriority < after[0].RulePriority:
			lines = append(lines, Line{"-", words(before[0])})
			before = before[1:]
		case len(before) == 0 || after[0].RulePriority < before[0].RulePriority:
			lines = append(lines, Line{"+", words(after[0])})
			after = after[1:]
		case sameRule(before[0], after[0]):
			lines = append(lines, Line{" ", words(after[0])})
			before, after = before[1:], after[1:]
		default:
			lines = append(lines, Line{"-", words(before[0])}, Line{"+", words(after[0])})
			before, after = before[1:], after[1:]
		}
	}
	return lines
}

// words puts a rule into words, as in
//
//	rule 1 "nightly": expire untagged images pushed more than 14 days ago
func words(r lifecycle.Rule) string {
	description := ""
	if r.Description != "" {
		description = fmt.Sprintf(" %q", r.Description)
	}
	return fmt.Sprintf("rule %d%s: %s", r.RulePriority, description, meaning(r))
}

// meaning says what a rule does.
func meaning(r lifecycle.Rule) string {
	verb := "expire"
	if r.Action.Type == lifecycle.Transition {
		verb = "archive"
	}
	return strings.Join([]string{verb, selected(r.Selection), counted(r.Selection)}, " ")
}

func selected(s lifecycle.Selection) string {
	switch {
	case len(s.TagPatternList) > 0:
		entries := make([]string, len(s.TagPatternList))
		for i, p := range s.TagPatternList {
			entries[i] = p.String()
		}
		return "images tagged " + strings.Join(entries, " and ")
	case len(s.TagPrefixList) > 0:
		return "images tagged " + strings.Join(s.TagPrefixList, "… and ") + "…"
	case s.TagStatus == lifecycle.Any:
		return "images"
	}
	return string(s.TagStatus) + " images"
}

func counted(s lifecycle.Selection) string {
	switch s.CountType {
	case lifecycle.ImageCountMoreThan:
		return fmt.Sprintf("beyond the newest %d", s.CountNumber)
	case lifecycle.SinceImagePulled:
		return fmt.Sprintf("not pulled for %s", days(s.CountNumber))
	case lifecycle.SinceImageTransitioned:
		return fmt.Sprintf("archived more than %s ago", days(s.CountNumber))
	case lifecycle.SinceImagePushed:
	}
	return fmt.Sprintf("pushed more than %s ago", days(s.CountNumber))
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

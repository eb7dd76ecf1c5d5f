package convert

import (
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// patternsOf returns patterns of which at least one matches a tag if the expression does.
// .* matches the same tags as *, because a tag has no line breaks. A tag is never empty.
func patternsOf(expression string) ([]string, bool) {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, false
	}
	texts, ok := expand(parsed.Simplify(), true, true)
	var patterns []string
	for _, text := range texts {
		for strings.Contains(text, "**") {
			text = strings.ReplaceAll(text, "**", "*")
		}
		if text == "" || slices.Contains(patterns, text) {
			continue
		}
		if _, err := lifecycle.ParseTagPattern(text); err != nil {
			return nil, false
		}
		patterns = append(patterns, text)
	}
	return patterns, ok && len(patterns) > 0
}

// expand returns the alternatives of a part of an expression, as texts of patterns. The
// first and the last part of the whole may be an anchor.
func expand(x *syntax.Regexp, first, last bool) ([]string, bool) {
	switch x.Op {
	case syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpBeginText:
		return []string{""}, first
	case syntax.OpEndText:
		return []string{""}, last
	case syntax.OpLiteral:
		text := string(x.Rune)
		return []string{text}, x.Flags&syntax.FoldCase == 0 && !strings.Contains(text, "*")
	case syntax.OpCharClass:
		return characters(x.Rune)
	case syntax.OpStar:
		all := x.Sub[0].Op == syntax.OpAnyChar || x.Sub[0].Op == syntax.OpAnyCharNotNL
		return []string{"*"}, all
	case syntax.OpQuest:
		texts, ok := expand(x.Sub[0], false, false)
		return append(texts, ""), ok
	case syntax.OpCapture:
		return expand(x.Sub[0], first, last)
	case syntax.OpConcat:
		return expandConcat(x.Sub, first, last)
	case syntax.OpAlternate:
		return expandAlternate(x.Sub, first, last)
	case syntax.OpNoMatch, syntax.OpAnyCharNotNL, syntax.OpAnyChar, syntax.OpBeginLine, syntax.OpEndLine,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpPlus, syntax.OpRepeat:
	}
	return nil, false
}

// characters returns the characters of a class, given as the bounds of its ranges.
func characters(bounds []rune) ([]string, bool) {
	var texts []string
	for i := 0; i < len(bounds); i += 2 {
		for r := bounds[i]; r <= bounds[i+1]; r++ {
			if r == '*' || len(texts) == maxRules {
				return nil, false
			}
			texts = append(texts, string(r))
		}
	}
	return texts, true
}

func expandConcat(parts []*syntax.Regexp, first, last bool) ([]string, bool) {
	texts := []string{""}
	for i, part := range parts {
		next, ok := expand(part, first && i == 0, last && i == len(parts)-1)
		if !ok || len(texts)*len(next) > maxRules {
			return nil, false
		}
		var longer []string
		for _, text := range texts {
			for _, n := range next {
				longer = append(longer, text+n)
			}
		}
		texts = longer
	}
	return texts, true
}

func expandAlternate(parts []*syntax.Regexp, first, last bool) ([]string, bool) {
	var texts []string
	for _, part := range parts {
		more, ok := expand(part, first, last)
		if texts = append(texts, more...); !ok || len(texts) > maxRules {
			return nil, false
		}
	}
	return texts, true
}

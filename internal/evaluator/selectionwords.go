package evaluator

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// matchedWords counts the images that a rule matches: "12 matching prod*".
func matchedWords(n int, s *lifecycle.Selection) string {
	if n == 1 && s.TagStatus == lifecycle.Any {
		return "1 image" + excludeWords(s)
	}
	return strconv.Itoa(n) + " " + pluralWords(s)
}

// pluralWords says which images a rule matches, after a number or "all".
func pluralWords(s *lifecycle.Selection) string {
	what := "images"
	switch {
	case len(s.TagPrefixList) > 0:
		what = "with prefix " + listWords(s)
	case len(s.TagPatternList)+len(s.TagRegexList) > 0:
		what = "matching " + listWords(s)
	case s.TagStatus != lifecycle.Any:
		what = string(s.TagStatus)
	}
	return what + excludeWords(s)
}

// excludeWords says which images a rule leaves out: " without hotfix*".
func excludeWords(s *lifecycle.Selection) string {
	if len(s.TagExcludePatternList) == 0 {
		return ""
	}
	return " without " + joinEntries(s.TagExcludePatternList, " or ")
}

// listWords joins the entries of a rule's list.
func listWords(s *lifecycle.Selection) string {
	and := " and "
	if s.TagMatchAny {
		and = " or "
	}
	switch {
	case len(s.TagPatternList) > 0:
		return joinEntries(s.TagPatternList, and)
	case len(s.TagRegexList) > 0:
		return joinEntries(s.TagRegexList, and)
	default:
		return strings.Join(s.TagPrefixList, and)
	}
}

func joinEntries[E fmt.Stringer](entries []E, separator string) string {
	texts := make([]string, len(entries))
	for i, e := range entries {
		texts[i] = e.String()
	}
	return strings.Join(texts, separator)
}

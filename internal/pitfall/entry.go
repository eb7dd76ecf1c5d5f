package pitfall

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// An entry is one entry of a tag list, with counts and examples from the images.
type entry struct {
	text string
	// alone is the selection with no other entry.
	alone lifecycle.Selection
	// matched counts the images that have a tag for the entry.
	matched int
	// number is the text before the * of a pattern such as v1*, or a prefix such as v1,
	// if that text ends in a number. Longer is a tag that continues it with another
	// digit, and where is the repository of that tag.
	number, longer, where string
	// inAnyCase reports whether the entry matches the tag if case is ignored; nil for an
	// expression. OtherCase is such a tag, as long as the entry matches none.
	inAnyCase func(tag string) bool
	otherCase string
}

func entriesOf(s *lifecycle.Selection) []entry {
	var entries []entry
	add := func(text, number string, alone lifecycle.Selection, inAnyCase func(string) bool) {
		alone.TagStatus, alone.StorageClass = s.TagStatus, s.StorageClass
		alone.TagExcludePatternList = s.TagExcludePatternList
		if !lifecycle.EndsInNumber(number) {
			number = ""
		}
		entries = append(entries, entry{text: text, number: number, alone: alone, inAnyCase: inAnyCase})
	}
	for _, p := range s.TagPatternList {
		number, _ := strings.CutSuffix(p.String(), "*")
		if number == p.String() {
			number = "" // the pattern ends there
		}
		folded := wildcard.Compile(strings.ToLower(p.String()))
		add(p.String(), number, lifecycle.Selection{TagPatternList: []lifecycle.TagPattern{p}},
			func(tag string) bool { return folded.Match(strings.ToLower(tag)) })
	}
	for _, prefix := range s.TagPrefixList {
		add(prefix, prefix, lifecycle.Selection{TagPrefixList: []string{prefix}},
			func(tag string) bool { return strings.HasPrefix(strings.ToLower(tag), strings.ToLower(prefix)) })
	}
	for _, x := range s.TagRegexList {
		add(x.String(), "", lifecycle.Selection{TagRegexList: []lifecycle.TagRegex{x}}, nil)
	}
	return entries
}

func (e *entry) add(repository string, tags []string) {
	if !e.alone.MatchesTags(tags) {
		if i := slices.IndexFunc(tags, e.isOtherCase); i >= 0 {
			e.otherCase, e.where = tags[i], repository
		}
		return
	}
	e.matched++
	if e.number == "" || e.longer != "" {
		return
	}
	for _, tag := range tags {
		if rest, ok := strings.CutPrefix(tag, e.number); ok && rest != "" && '0' <= rest[0] && rest[0] <= '9' {
			e.longer, e.where = tag, repository
			return
		}
	}
}

// isOtherCase reports whether the tag is the first one that differs from the entry only
// in case.
func (e *entry) isOtherCase(tag string) bool {
	return e.matched == 0 && e.otherCase == "" && e.inAnyCase != nil && e.inAnyCase(tag)
}

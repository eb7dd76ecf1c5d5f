package pitfall

import (
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// An entry is one entry of a tag list, with counts and examples from the images.
type entry struct {
	text     string
	alone    lifecycle.Selection // the selection with no other entry
	matched  int                 // images that have a tag for the entry
	excepted int                 // images that would match without tagExcludePatternList
	// prefix is a prefix, or the v1 of a pattern v1*, otherwise empty. longer is a tag that
	// continues its number with a digit, and where the repository of that tag.
	prefix, longer, where string
	// guarded is another tag with the prefix, if the rule seems to guard the tag that is the
	// prefix, but does not. Its repository is also where.
	guarded string
	// inAnyCase reports whether the entry matches the tag if case is ignored, and spell
	// returns the entry in the case of that tag. While no image has a tag that matches,
	// otherCase counts these tags by their spelling.
	inAnyCase func(tag string) bool
	spell     func(tag string) string
	otherCase map[string]int
}

func entriesOf(s *lifecycle.Selection) []entry {
	var entries []entry
	add := func(e entry) {
		e.alone.TagStatus, e.alone.TagExcludePatternList = s.TagStatus, s.TagExcludePatternList
		e.otherCase = map[string]int{}
		entries = append(entries, e)
	}
	for _, p := range s.TagPatternList {
		add(patternEntry(p))
	}
	for _, prefix := range s.TagPrefixList {
		add(entry{
			text: prefix, prefix: prefix, alone: lifecycle.Selection{TagPrefixList: []string{prefix}},
			inAnyCase: func(tag string) bool { return strings.HasPrefix(strings.ToLower(tag), strings.ToLower(prefix)) },
			spell:     func(tag string) string { return cut(tag, len(prefix)) },
		})
	}
	for _, x := range s.TagRegexList {
		inAnyCase, err := lifecycle.ParseTagRegex("(?i)" + x.String())
		add(entry{
			text: x.String(), alone: lifecycle.Selection{TagRegexList: []lifecycle.TagRegex{x}},
			inAnyCase: func(tag string) bool { return err == nil && inAnyCase.Match(tag) }, // an error if it is too long
			spell:     form,
		})
	}
	return entries
}

func patternEntry(p lifecycle.TagPattern) entry {
	text := p.String()
	prefix, open := strings.CutSuffix(text, "*")
	if !open || strings.Contains(prefix, "*") {
		prefix = ""
	}
	folded := wildcard.Compile(strings.ToLower(text))
	begin, rest := text, ""
	if i := strings.IndexByte(text, '*'); i >= 0 {
		begin, rest = text[:i], text[i:]
	}
	return entry{
		text: text, prefix: prefix, alone: lifecycle.Selection{TagPatternList: []lifecycle.TagPattern{p}},
		inAnyCase: func(tag string) bool { return folded.Match(strings.ToLower(tag)) },
		spell: func(tag string) string {
			for _, spelling := range []string{cut(tag, len(begin)) + rest, strings.ToLower(text), strings.ToUpper(text)} {
				if p := wildcard.Compile(spelling); p.Match(tag) {
					return spelling
				}
			}
			return tag
		},
	}
}

// cut returns the first n bytes. A letter may have another length in the other case.
func cut(tag string, n int) string { return tag[:min(n, len(tag))] }

func (e *entry) add(repository string, tags []string) {
	if !e.alone.MatchesTags(tags) {
		e.addUnmatched(tags)
		return
	}
	e.matched++
	if e.longer != "" || !lifecycle.EndsInNumber(e.prefix) {
		return
	}
	for _, tag := range tags {
		if rest, ok := strings.CutPrefix(tag, e.prefix); ok && rest != "" && '0' <= rest[0] && rest[0] <= '9' {
			e.longer, e.where = tag, repository
			return
		}
	}
}

func (e *entry) addUnmatched(tags []string) {
	if _, unmet := e.alone.UnmetEntry(tags); !unmet {
		e.excepted++
		return
	}
	for _, tag := range tags {
		if e.matched == 0 && e.inAnyCase(tag) {
			e.otherCase[e.spell(tag)]++
		}
	}
}

package lifecycle

import (
	"slices"
	"strings"
)

// MatchesTags reports whether the selection matches an image with these tags. Different
// tags may match different entries of the list, and other tags do not matter:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
func (s *Selection) MatchesTags(tags []string) bool {
	switch s.TagStatus {
	case Any:
		return !s.excludes(tags)
	case Untagged:
		return len(tags) == 0
	case Tagged:
		return len(tags) > 0 && s.unmet(tags) < 0 && !s.excludes(tags)
	}
	return false
}

// UnmetEntry returns the first entry of the list that no tag matches, and false if there is
// none. With TagMatchAny there is one only if no tag matches any entry.
func (s *Selection) UnmetEntry(tags []string) (entry string, unmet bool) {
	if i := s.unmet(tags); i >= 0 {
		return s.Entries()[i], true
	}
	return "", false
}

// unmet returns the number of the entry that UnmetEntry returns, or -1.
func (s *Selection) unmet(tags []string) int {
	n := s.entries()
	for i := range n {
		switch met := s.isMet(i, tags); {
		case met && s.TagMatchAny:
			return -1
		case !met && !s.TagMatchAny:
			return i
		}
	}
	if s.TagMatchAny && n > 0 {
		return 0
	}
	return -1
}

// isMet reports whether some tag matches entry i.
func (s *Selection) isMet(i int, tags []string) bool {
	if i < len(s.TagPatternList) {
		return s.TagPatternList[i].MatchesAny(tags)
	}
	for _, tag := range tags {
		if s.meets(tag, i) {
			return true
		}
	}
	return false
}

// ExcludedBy returns the first tag that an entry of TagExcludePatternList matches, and
// that entry.
func (s *Selection) ExcludedBy(tags []string) (tag, entry string, excluded bool) {
	for _, tag := range tags {
		for i := range s.TagExcludePatternList {
			if p := &s.TagExcludePatternList[i]; p.Match(tag) {
				return tag, p.String(), true
			}
		}
	}
	return "", "", false
}

func (s *Selection) excludes(tags []string) bool {
	_, _, excluded := s.ExcludedBy(tags)
	return excluded
}

// MatchingTags returns the tags that match an entry of the list, in the order given.
func (s *Selection) MatchingTags(tags []string) []string {
	var matching []string
	for _, tag := range tags {
		if s.MatchesEntry(tag) {
			matching = append(matching, tag)
		}
	}
	return matching
}

// MatchesEntry reports whether the tag matches an entry of the list.
func (s *Selection) MatchesEntry(tag string) bool {
	for i := range s.entries() {
		if s.meets(tag, i) {
			return true
		}
	}
	return false
}

// entries is the number of entries of the list.
func (s *Selection) entries() int {
	return len(s.TagPatternList) + len(s.TagPrefixList) + len(s.TagRegexList)
}

// Entries returns the texts of the entries of the list, of whichever kind.
func (s *Selection) Entries() []string {
	return slices.Concat(Texts(s.TagPatternList), s.TagPrefixList, Texts(s.TagRegexList))
}

// meets reports whether the tag matches entry i.
func (s *Selection) meets(tag string, i int) bool {
	if i < len(s.TagPatternList) {
		return s.TagPatternList[i].Match(tag)
	}
	if i -= len(s.TagPatternList); i < len(s.TagPrefixList) {
		return strings.HasPrefix(tag, s.TagPrefixList[i])
	}
	return s.TagRegexList[i-len(s.TagPrefixList)].Match(tag)
}

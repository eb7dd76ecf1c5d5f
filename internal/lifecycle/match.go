package lifecycle

import "strings"

// MatchesTags reports whether an image with these tags meets the tag
// requirement of the selection: any image for Any, one without tags for
// Untagged, and for Tagged one with tags of which some match each entry of the
// list. Different tags may match different entries and other tags do not
// matter, as AWS documents:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
//
// With TagMatchAny one entry that some tag matches is enough, without a list
// any tag is; and no image meets the requirement that has a tag matching an
// entry of TagExcludePatternList.
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

// UnmetEntry returns the first entry of the selection's list that none of the
// tags match, unless that is no obstacle: with TagMatchAny it is one only if no
// entry is met. It returns false when there is none, and so it does for every
// selection without a list.
func (s *Selection) UnmetEntry(tags []string) (entry string, unmet bool) {
	if i := s.unmet(tags); i >= 0 {
		return s.entry(i), true
	}
	return "", false
}

// unmet returns the place of the entry that UnmetEntry returns, or -1.
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
		return s.TagPatternList[i].matchesAny(tags)
	}
	for _, tag := range tags {
		if s.meets(tag, i) {
			return true
		}
	}
	return false
}

// ExcludedBy returns the first of the tags that an entry of
// TagExcludePatternList matches, and that entry. It returns false when there is
// none.
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
	if len(s.TagExcludePatternList) == 0 {
		return false
	}
	_, _, excluded := s.ExcludedBy(tags)
	return excluded
}

// MatchingTags returns those of the tags that match an entry of the selection's
// list, in the order given. Of an image that a rule with the action Untag
// claims, they are the tags to remove.
func (s *Selection) MatchingTags(tags []string) []string {
	var matching []string
	for _, tag := range tags {
		if s.MatchesEntry(tag) {
			matching = append(matching, tag)
		}
	}
	return matching
}

// MatchesEntry reports whether the tag matches an entry of the selection's
// list.
func (s *Selection) MatchesEntry(tag string) bool {
	for i := range s.entries() {
		if s.meets(tag, i) {
			return true
		}
	}
	return false
}

// The entries of the list, of whatever kind it is, are numbered from 0.

func (s *Selection) entries() int {
	return len(s.TagPatternList) + len(s.TagPrefixList) + len(s.TagRegexList)
}

// entry returns the text of the i-th entry.
func (s *Selection) entry(i int) string {
	if i < len(s.TagPatternList) {
		return s.TagPatternList[i].String()
	}
	if i -= len(s.TagPatternList); i < len(s.TagPrefixList) {
		return s.TagPrefixList[i]
	}
	return s.TagRegexList[i-len(s.TagPrefixList)].String()
}

// meets reports whether the tag matches the i-th entry.
func (s *Selection) meets(tag string, i int) bool {
	if i < len(s.TagPatternList) {
		return s.TagPatternList[i].Match(tag)
	}
	if i -= len(s.TagPatternList); i < len(s.TagPrefixList) {
		return strings.HasPrefix(tag, s.TagPrefixList[i])
	}
	return s.TagRegexList[i-len(s.TagPrefixList)].Match(tag)
}

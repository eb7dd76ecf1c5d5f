package lifecycle

import (
	"slices"
	"strings"
)

// MatchesTags reports whether an image with these tags meets the tag
// requirement of the selection: any image for Any, one without tags for
// Untagged, and for Tagged one with tags of which some match each entry of the
// list. Different tags may match different entries and other tags do not
// matter, as AWS documents:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
func (s *Selection) MatchesTags(tags []string) bool {
	switch s.TagStatus {
	case Any:
		return true
	case Untagged:
		return len(tags) == 0
	case Tagged:
		_, unmet := s.UnmetEntry(tags)
		return !unmet && len(tags) > 0
	}
	return false
}

// UnmetEntry returns the first entry of the selection's list that none of the
// tags match. It returns false when there is none, and so it does for every
// selection without a list.
func (s *Selection) UnmetEntry(tags []string) (entry string, unmet bool) {
	for i := range s.TagPatternList {
		p := &s.TagPatternList[i]
		if !slices.ContainsFunc(tags, p.Match) {
			return p.String(), true
		}
	}
	for _, prefix := range s.TagPrefixList {
		if !slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, prefix) }) {
			return prefix, true
		}
	}
	return "", false
}

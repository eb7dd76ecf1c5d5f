package lifecycle

import (
	"slices"
	"strings"
)

// Covers reports whether this selection matches every image that the other one
// matches. It is true only where the two texts prove it, entry by entry; lists
// beyond any use are not compared. Counts and ages play no part.
func (s *Selection) Covers(other *Selection) bool {
	if s.StorageClass != other.StorageClass || s.comparisons(other) > maxComparisons || !s.spares(other) {
		return false
	}
	switch s.TagStatus {
	case Any:
		return true
	case Untagged:
		return other.TagStatus == Untagged
	case Tagged:
		return other.TagStatus == Tagged && s.coversList(other)
	}
	return false
}

// spares reports whether this selection excludes nothing that the other one
// matches: the other excludes it too, or matches no tagged image.
func (s *Selection) spares(other *Selection) bool {
	return other.TagStatus == Untagged || !slices.ContainsFunc(s.TagExcludePatternList, func(p TagPattern) bool {
		return !other.Excludes(p)
	})
}

// Excludes reports whether the selection excludes every image with a tag that
// matches the pattern. It is true only where one entry of TagExcludePatternList
// proves it.
func (s *Selection) Excludes(tag TagPattern) bool {
	return slices.ContainsFunc(s.TagExcludePatternList, func(p TagPattern) bool { return p.Match(tag.sample()) })
}

// maxComparisons bounds the time that lists of any length can take.
const maxComparisons = 4096

func (s *Selection) comparisons(other *Selection) int {
	return s.entries()*other.entries() + len(s.TagExcludePatternList)*len(other.TagExcludePatternList)
}

func (s *Selection) coversList(other *Selection) bool {
	sets := other.tagSets()
	if !other.TagMatchAny {
		return s.isMetBy(sets)
	}
	return !slices.ContainsFunc(sets, func(set tagSet) bool { return !s.isMetBy([]tagSet{set}) })
}

// isMetBy reports whether every image that has a tag of each of the sets meets
// the list.
func (s *Selection) isMetBy(sets []tagSet) bool {
	for i := range s.entries() {
		met := slices.ContainsFunc(sets, func(set tagSet) bool { return s.meetsSet(set, i) })
		if met == s.TagMatchAny {
			return met
		}
	}
	return !s.TagMatchAny
}

// A tagSet is the tags that match one entry of a list.
type tagSet struct {
	// sample stands for all of them: see anyText.
	sample string
	// regex is the text of the entry if it is an expression. The sample is then
	// that of every tag.
	regex string
}

// anyText stands in a sample for any text. It is no UTF-8 and so in no policy: a
// literal does not match it, and a * that does matches any text as well. An
// expression may match it and not what it stands for.
const anyText = "\xff"

// tagSets returns the sets of all entries; without a list, that of every tag.
func (s *Selection) tagSets() []tagSet {
	var sets []tagSet
	for _, p := range s.TagPatternList {
		sets = append(sets, tagSet{sample: p.sample()})
	}
	for _, prefix := range s.TagPrefixList {
		sets = append(sets, tagSet{sample: prefix + anyText})
	}
	for _, x := range s.TagRegexList {
		sets = append(sets, tagSet{sample: anyText, regex: x.String()})
	}
	if len(sets) == 0 {
		return []tagSet{{sample: anyText}}
	}
	return sets
}

// meetsSet reports whether every tag of the set matches the i-th entry.
func (s *Selection) meetsSet(set tagSet, i int) bool {
	if len(s.TagRegexList) == 0 {
		return s.meets(set.sample, i)
	}
	return s.entry(i) == set.regex || !strings.Contains(set.sample, anyText) && s.meets(set.sample, i)
}

func (p *TagPattern) sample() string { return strings.ReplaceAll(p.String(), "*", anyText) }

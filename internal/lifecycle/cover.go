package lifecycle

import (
	"slices"
	"strings"
)

// Covers reports whether this selection matches every image that the other one matches, as
// far as the texts of the entries prove it. It is false for lists that are too long.
func (s *Selection) Covers(other *Selection) bool {
	comparisons := s.entries()*other.entries() + len(s.TagExcludePatternList)*len(other.TagExcludePatternList)
	if s.StorageClass != other.StorageClass || comparisons > maxComparisons || !s.excludesNoMoreThan(other) {
		return false
	}
	switch s.TagStatus {
	case Any:
		return true
	case Untagged, Tagged:
		return other.TagStatus == s.TagStatus && s.coversList(other)
	}
	return false
}

// excludesNoMoreThan reports whether s excludes no image that other matches.
func (s *Selection) excludesNoMoreThan(other *Selection) bool {
	return other.TagStatus == Untagged || !slices.ContainsFunc(s.TagExcludePatternList, func(p TagPattern) bool {
		return !other.Excludes(p)
	})
}

// Excludes reports whether the selection excludes every image with a tag that matches the
// pattern. It is true only if one entry of TagExcludePatternList proves it.
func (s *Selection) Excludes(tag TagPattern) bool {
	return slices.ContainsFunc(s.TagExcludePatternList, func(p TagPattern) bool { return p.Match(sample(tag)) })
}

// maxComparisons bounds the time for lists of any length.
const maxComparisons = 4096

func (s *Selection) coversList(other *Selection) bool {
	sets := other.tagSets()
	if !other.TagMatchAny {
		return s.isMetBy(sets)
	}
	return !slices.ContainsFunc(sets, func(set tagSet) bool { return !s.isMetBy([]tagSet{set}) })
}

// isMetBy reports whether the list matches every image that has a tag of each set.
func (s *Selection) isMetBy(sets []tagSet) bool {
	for i := range s.entries() {
		met := slices.ContainsFunc(sets, func(set tagSet) bool { return s.meetsSet(set, i) })
		if met == s.TagMatchAny {
			return met
		}
	}
	return !s.TagMatchAny
}

// A tagSet is the set of tags that match one entry of a list.
type tagSet struct {
	sample string // represents all of the tags: see anyText
	regex  string // the text of the entry if it is an expression; sample is then anyText
}

// anyText represents any text in a sample. It is not UTF-8, therefore a literal never
// matches it, and a * that matches it matches any text. An expression can match it without
// matching every text.
const anyText = "\xff"

// tagSets returns the set of each entry, or the set of all tags without a list.
func (s *Selection) tagSets() []tagSet {
	var sets []tagSet
	for _, p := range s.TagPatternList {
		sets = append(sets, tagSet{sample: sample(p)})
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

// meetsSet reports whether every tag of the set matches entry i.
func (s *Selection) meetsSet(set tagSet, i int) bool {
	if len(s.TagRegexList) == 0 {
		return s.meets(set.sample, i)
	}
	return s.TagRegexList[i].text == set.regex || !strings.Contains(set.sample, anyText) && s.meets(set.sample, i)
}

func sample(p TagPattern) string { return strings.ReplaceAll(p.String(), "*", anyText) }

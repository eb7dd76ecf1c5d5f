package lifecycle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func TestMatchesTags(t *testing.T) {
	t.Parallel()
	patterns := func(texts ...string) lifecycle.Selection {
		s := lifecycle.Selection{TagStatus: lifecycle.Tagged}
		for _, text := range texts {
			s.TagPatternList = append(s.TagPatternList, pattern(t, text))
		}
		return s
	}
	prefixes := func(texts ...string) lifecycle.Selection {
		return lifecycle.Selection{TagStatus: lifecycle.Tagged, TagPrefixList: texts}
	}
	regexes := func(texts ...string) lifecycle.Selection {
		s := lifecycle.Selection{TagStatus: lifecycle.Tagged}
		for _, text := range texts {
			s.TagRegexList = append(s.TagRegexList, regex(t, text))
		}
		return s
	}
	orEntry := func(s lifecycle.Selection) lifecycle.Selection {
		s.TagMatchAny = true
		return s
	}
	except := func(s lifecycle.Selection, text string) lifecycle.Selection {
		s.TagExcludePatternList = []lifecycle.TagPattern{pattern(t, "none"), pattern(t, text)}
		return s
	}
	anyImage := lifecycle.Selection{TagStatus: lifecycle.Any}
	tests := map[string]struct {
		selection lifecycle.Selection
		tags      []string
		want      bool
		unmet     string // "" for none
	}{
		"any, with tags":                         {lifecycle.Selection{TagStatus: lifecycle.Any}, []string{"a"}, true, ""},
		"any, without tags":                      {lifecycle.Selection{TagStatus: lifecycle.Any}, nil, true, ""},
		"untagged, with tags":                    {lifecycle.Selection{TagStatus: lifecycle.Untagged}, []string{"a"}, false, ""},
		"untagged, without tags":                 {lifecycle.Selection{TagStatus: lifecycle.Untagged}, []string{}, true, ""},
		"pattern that a tag matches":             {patterns("v*"), []string{"latest", "v1"}, true, ""},
		"pattern that no tag matches":            {patterns("v*"), []string{"latest", "1v"}, false, "v*"},
		"pattern and no tags":                    {patterns("*"), nil, false, "*"},
		"patterns met by different tags":         {patterns("alpha*", "beta*"), []string{"beta-1", "x", "alpha-1"}, true, ""},
		"patterns met by one tag":                {patterns("a*", "*z"), []string{"a-z"}, true, ""},
		"patterns, one of them unmet":            {patterns("alpha*", "beta*", "gamma*"), []string{"alpha-1"}, false, "beta*"},
		"prefix that is the tag":                 {prefixes("prod"), []string{"prod"}, true, ""},
		"prefix of a tag":                        {prefixes("prod"), []string{"prod-1"}, true, ""},
		"prefix inside a tag":                    {prefixes("prod"), []string{"my-prod"}, false, "prod"},
		"prefix in another case":                 {prefixes("Prod"), []string{"prod"}, false, "Prod"},
		"prefix with a star, taken literally":    {prefixes("prod*"), []string{"prod-1"}, false, "prod*"},
		"prefixes met by different tags":         {prefixes("a", "b"), []string{"b1", "a1"}, true, ""},
		"prefixes, one of them unmet":            {prefixes("a", "b", "c"), []string{"a1", "c1"}, false, "b"},
		"tagged without a list, image with tags": {prefixes(), []string{"a"}, true, ""},
		"tagged without a list, image without":   {prefixes(), nil, false, ""},
		"expression that a tag matches":          {regexes(`v\d+`), []string{"latest", "v12"}, true, ""},
		"expression that matches a part":         {regexes(`v\d+`), []string{"xv1", "v1x"}, false, `v\d+`},
		"alternation that matches a part":        {regexes("a|b"), []string{"ab"}, false, "a|b"},
		"expressions, one of them unmet":         {regexes("a.*", "b.*"), []string{"a1"}, false, "b.*"},
		"one of the patterns is enough":          {orEntry(patterns("a*", "b*")), []string{"b1"}, true, ""},
		"one of the prefixes is enough":          {orEntry(prefixes("a", "b")), []string{"x", "a1"}, true, ""},
		"one of the expressions is enough":       {orEntry(regexes("a.*", "b.*")), []string{"b1"}, true, ""},
		"none of the patterns is met":            {orEntry(patterns("a*", "b*")), []string{"c"}, false, "a*"},
		"none of the patterns, no tags":          {orEntry(patterns("a*", "b*")), nil, false, "a*"},
		"excluded by another tag":                {except(patterns("a*"), "*-rc"), []string{"a1", "b-rc"}, false, ""},
		"excluded by the tag that matches":       {except(prefixes("a"), "*-rc"), []string{"a-rc"}, false, ""},
		"not excluded":                           {except(prefixes("a"), "*-rc"), []string{"a-RC", "a-rc1"}, true, ""},
		"any, excluded":                          {except(anyImage, "a*"), []string{"b", "a"}, false, ""},
		"any, not excluded":                      {except(anyImage, "a*"), []string{"b"}, true, ""},
		"any, untagged and so not excluded":      {except(anyImage, "*"), nil, true, ""},
		"tagged without a list, excluded":        {except(prefixes(), "*"), []string{"b"}, false, ""},
		"zero selection":                         {lifecycle.Selection{}, []string{"a"}, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.selection.MatchesTags(tt.tags); got != tt.want {
				t.Errorf("MatchesTags(%q) = %v, want %v", tt.tags, got, tt.want)
			}
			entry, unmet := tt.selection.UnmetEntry(tt.tags)
			if entry != tt.unmet || unmet != (tt.unmet != "") {
				t.Errorf("UnmetEntry(%q) = %q, %v, want %q", tt.tags, entry, unmet, tt.unmet)
			}
		})
	}
}

func TestMatchingTagsAreThoseOfAnyEntry(t *testing.T) {
	t.Parallel()
	tags := []string{"b2", "c", "a1", "b1", "ab"}
	for name, tt := range map[string]struct {
		selection lifecycle.Selection
		want      []string
	}{
		"patterns":       {lifecycle.Selection{TagPatternList: []lifecycle.TagPattern{pattern(t, "a*"), pattern(t, "b*")}}, []string{"b2", "a1", "b1", "ab"}},
		"prefixes":       {lifecycle.Selection{TagPrefixList: []string{"b", "x"}}, []string{"b2", "b1"}},
		"expressions":    {lifecycle.Selection{TagRegexList: []lifecycle.TagRegex{regex(t, "a|b"), regex(t, "[ab]1")}}, []string{"a1", "b1"}},
		"nothing":        {lifecycle.Selection{TagPrefixList: []string{"x"}}, nil},
		"without a list": {lifecycle.Selection{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, either := range []bool{false, true} { // tagMatch does not matter
				tt.selection.TagMatchAny = either
				if diff := cmp.Diff(tt.want, tt.selection.MatchingTags(tags)); diff != "" {
					t.Errorf("MatchingTags mismatch (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestExcludedByNamesTagAndPattern(t *testing.T) {
	t.Parallel()
	s := lifecycle.Selection{TagExcludePatternList: []lifecycle.TagPattern{pattern(t, "x*"), pattern(t, "a*")}}
	if tag, entry, excluded := s.ExcludedBy([]string{"b", "a1", "x"}); tag != "a1" || entry != "a*" || !excluded {
		t.Errorf("ExcludedBy = %q, %q, %t; want the first tag that is excluded", tag, entry, excluded)
	}
	if tag, entry, excluded := s.ExcludedBy([]string{"b"}); tag != "" || entry != "" || excluded {
		t.Errorf("ExcludedBy = %q, %q, %t; want none", tag, entry, excluded)
	}
}

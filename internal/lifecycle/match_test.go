package lifecycle_test

import (
	"testing"

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

package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func TestTagPatternMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern string
		match   string // tags, separated by spaces
		other   string
	}{
		{"latest", "latest", "Latest latest-1 my-latest late"},
		{"prod*", "prod prod1 prod-2 prodprod", "pro xprod Prod"},
		{"*prod", "prod 1prod prodprod", "prod1 pro PROD"},
		{"*prod*", "prod xprod prodx xprodx", "pro-d prd PROD"},
		{"v*.*", "v1.2 v. v1.2.3 v..", "v1 1.2 v xv1.2"},
		{"a*a", "aa aba aaa", "a ab ba"},
		{"ab*bc", "abbc abxbc", "abc ab bc"},
		{"*a*a*a*", "aaa banana xaaax", "aa abab"},
		{"a*b*c*d*e", "abcde a1b2c3d4e abcdeabcde", "abcd abdce edcba"},
		{"**", "a ab", ""},
		{"*", "a latest", ""},
		{"a**b", "ab axb", "a b ba"},
		{"1.?[a-z]+", "1.?[a-z]+", "1.xa 1.0a 1_?[a-z]+"},
		{"a.b", "a.b", "axb"},
		{"ü*", "ü über ü1", "u uber \xc3"},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			t.Parallel()
			p := pattern(t, tt.pattern)
			for tag := range strings.FieldsSeq(tt.match) {
				if !p.Match(tag) {
					t.Errorf("%q does not match %q", p, tag)
				}
			}
			for tag := range strings.FieldsSeq(tt.other) {
				if p.Match(tag) {
					t.Errorf("%q matches %q", p, tag)
				}
			}
		})
	}
}

func TestTagPatternMatchesTheEmptyTag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"*": true, "****": true, "a*": false, "a": false} {
		p := pattern(t, text)
		if got := p.Match(""); got != want {
			t.Errorf("%q matches the empty tag: %v, want %v", text, got, want)
		}
	}
	if new(lifecycle.TagPattern).Match("a") {
		t.Error("the zero pattern matches a tag")
	}
}

func TestTagPatternKeepsItsText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a", "*", "a*b*c*d*e", "****"} {
		p := pattern(t, text)
		if p.String() != text {
			t.Errorf("String() = %q, want %q", p, text)
		}
		if !p.Equal(pattern(t, text)) || p.Equal(pattern(t, text+"x")) {
			t.Errorf("pattern %q is not equal to itself only", text)
		}
	}
}

func TestParseTagPatternRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":       `is empty; use "*" for every tag`,
		"*****":  `has 5 *; use at most 4`,
		"a\n***": "",
	}
	for text, want := range tests {
		_, err := lifecycle.ParseTagPattern(text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("ParseTagPattern(%q) error = %q, want %q", text, got, want)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	p := pattern(t, "a*b*c*d*")
	s := lifecycle.Selection{
		TagStatus: lifecycle.Tagged, TagPrefixList: []string{"v", "release-"}, TagPatternList: []lifecycle.TagPattern{p},
	}
	tags := []string{"a1b2c3d4", "v1", "release-1"}
	allocs := testing.AllocsPerRun(100, func() {
		if !p.Match(tags[0]) || !s.MatchesTags(tags) {
			t.Error("no match")
		}
	})
	if allocs != 0 {
		t.Errorf("Match and MatchesTags allocate %v times, want 0", allocs)
	}
}

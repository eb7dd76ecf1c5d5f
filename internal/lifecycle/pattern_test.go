package lifecycle_test

import (
	"regexp"
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
			wantMatches(t, pattern(t, tt.pattern).Match, tt.match, tt.other)
		})
	}
}

// wantMatches checks that only the tags of the first list match.
func wantMatches(t *testing.T, matches func(tag string) bool, match, other string) {
	t.Helper()
	for tag := range strings.FieldsSeq(match) {
		equal(t, "match of "+tag, true, matches(tag))
	}
	for tag := range strings.FieldsSeq(other) {
		equal(t, "match of "+tag, false, matches(tag))
	}
}

func TestTagPatternMatchesTheEmptyTag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"*": true, "****": true, "a*": false, "a": false} {
		p := pattern(t, text)
		equal(t, text+" matches the empty tag", want, p.Match(""))
	}
	if new(lifecycle.TagPattern).Match("a") {
		t.Error("the zero pattern matches a tag")
	}
}

func TestTagPatternKeepsItsText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a", "*", "a*b*c*d*e", "****"} {
		p := pattern(t, text)
		equal(t, "String()", text, p.String())
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

func regex(tb testing.TB, text string) lifecycle.TagRegex {
	tb.Helper()
	x, err := lifecycle.ParseTagRegex(text)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

func TestTagRegexMatchesTheWholeTag(t *testing.T) {
	t.Parallel()
	for text, tags := range map[string]struct{ match, other string }{
		`v\d+`:            {"v1 v12", "v xv1 v1x V1"},
		"a|b":             {"a b", "ab ba xa bx"},
		"a|ab":            {"a ab", "abb"},
		"(a|b)+":          {"a b abba", "c ac"},
		"^x$":             {"x", "xx x1"},
		"(?i)dev-.*":      {"dev-1 DEV-", "xdev-1"},
		"(?m)^a$":         {"a", "a1 b"},
		`\Qa.b`:           {"a.b", "axb a.bx"},
		`\Qa.b\E+`:        {"a.b a.bb", "a.ba.b"},
		"a*?":             {"a aa", "b ab"},
		"(?U)a+":          {"a aa", "b"},
		`\d+\.\d+(-rc)?`:  {"1.2 1.22-rc", "1.2-rc1 v1.2"},
		"[[:xdigit:]]{7}": {"0123abc", "0123abcd 0123abg"},
		`.*\b`:            {"a a-b", ""},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			x := regex(t, text)
			wantMatches(t, x.Match, tags.match, tags.other)
		})
	}
}

func TestTagRegexKeepsItsText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a", "a|b", `\Qa`, "(?i)A", strings.Repeat("ü", 256)} {
		x := regex(t, text)
		equal(t, "String()", text, x.String())
		if !x.Equal(regex(t, text)) || x.Equal(regex(t, "x")) {
			t.Errorf("expression %q is not equal to itself only", text)
		}
	}
	if new(lifecycle.TagRegex).Match("") {
		t.Error("the zero expression matches a tag")
	}
}

func TestParseTagRegexRefuses(t *testing.T) {
	t.Parallel()
	const around = "; RE2 cannot look ahead or behind: to except tags, list them in tagExcludePatternList"
	for text, want := range map[string]string{
		"":                       `is empty; use ".*" for every tag`,
		"a(\nb":                  `is no RE2 expression: missing closing ): "a(\nb"`,
		"(?<!a)b":                `is no RE2 expression: invalid named capture: "(?<!a)b"` + around,
		`^(?!v\d+$).*`:           `is no RE2 expression: invalid or unsupported Perl syntax: "(?!"` + around,
		"a(?=b)":                 `is no RE2 expression: invalid or unsupported Perl syntax: "(?="` + around,
		"a{1001}":                `is no RE2 expression: invalid repeat count: "{1001}"`,
		strings.Repeat("a", 257): `has 257 characters; use at most 256, or several entries`,
		strings.Repeat("(", 128): `is no RE2 expression: missing closing ): "` + strings.Repeat("(", 64) + `…"`,
		`a\`:                     `is no RE2 expression: trailing backslash at end of expression: ""`,
	} {
		_, err := lifecycle.ParseTagRegex(text)
		if err == nil || err.Error() != want {
			t.Errorf("ParseTagRegex(%q) error = %v, want %s", text, err, want)
		}
	}
}

// What the anchors mean is also this: the longest of the leftmost matches is the whole tag.
func FuzzTagRegex(f *testing.F) {
	for _, pair := range [][2]string{
		{"a|b", "ab"},
		{`\Qa`, "a"},
		{"a)|(b", "a"},
		{"(?i)a", "A"},
		{"(?m)^a$", "a\nb"},
		{"a*?", "aa"},
		{".", "\n"},
		{"(?s).", "\n"},
		{"", ""},
		{`\b`, ""},
		{`\C`, "a"},
		{"(?U)a*", "aa"},
		{`\z`, ""},
		{"x{2}", "xx"},
		{"[^a]", "\xff"},
		{"a$", "a"},
		{"$", ""},
		{"(a|ab)(c|bcd)", "abcd"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, text, tag string) {
		x, err := lifecycle.ParseTagRegex(text)
		longest, compileErr := regexp.Compile(text)
		if valid := compileErr == nil && text != "" && len([]rune(text)) <= 256; valid != (err == nil) {
			t.Fatalf("ParseTagRegex(%q) error = %v, want one: %v", text, err, !valid)
		}
		if err != nil || len(tag) > 64 {
			return
		}
		longest.Longest()
		at := longest.FindStringIndex(tag)
		if got, want := x.Match(tag), at != nil && at[1]-at[0] == len(tag); got != want {
			t.Errorf("%q matches %q: %v, want %v", text, tag, got, want)
		}
	})
}

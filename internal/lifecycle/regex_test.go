package lifecycle_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

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
			for tag := range strings.FieldsSeq(tags.match) {
				if !x.Match(tag) {
					t.Errorf("does not match %q", tag)
				}
			}
			for tag := range strings.FieldsSeq(tags.other) {
				if x.Match(tag) {
					t.Errorf("matches %q", tag)
				}
			}
		})
	}
}

func TestTagRegexKeepsItsText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a", "a|b", `\Qa`, "(?i)A", strings.Repeat("ü", 256)} {
		x := regex(t, text)
		if x.String() != text {
			t.Errorf("String() = %q, want %q", x, text)
		}
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
	for text, want := range map[string]string{
		"":                       `is empty; use ".*" for every tag`,
		"a(\nb":                  `is no RE2 expression: missing closing ): "a(\nb"`,
		"(?<!a)b":                `is no RE2 expression: invalid named capture: "(?<!a)b"`,
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

// What the anchors mean is also this: the longest of the leftmost matches is
// the whole tag.
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

package wildcard_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"app", "app", true},
		{"app", "app1", false},
		{"app", "my-app", false},
		{"app", "App", false}, // case counts
		{"*", "", true},
		{"*", "team-a/app", true},
		{"**", "a", true},
		{"prod*", "prod", true},
		{"prod*", "prod-1", true},
		{"prod*", "preprod", false},
		{"*prod", "preprod", true},
		{"*prod", "prod1", false},
		{"*prod*", "preprod1", true},
		{"team-a/*", "team-a/x/y", true}, // the star covers slashes
		{"team-a/*", "team-a", false},
		{"*/app", "a/b/app", true},
		{"a*a", "a", false}, // the literals do not overlap
		{"a*a", "aa", true},
		{"ab*ba", "aba", false},
		{"a*b*c", "abc", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "acb", false},
		{"*ab*ab", "ab-ab", true},
		{"*ab*ab", "ab", false},
		{"*ab*ab*", "xabxab", true},
		{"v?.[0-9]", "v1.2", false}, // only the star is special
		{"v?.[0-9]", "v?.[0-9]", true},
		{`\*`, `\`, true},
		{"ü*ö", "üxö", true},
		{"\xc3*", "ü", true}, // bytes, not characters
	}
	for _, test := range tests {
		if got := wildcard.Compile(test.pattern).Match(test.name); got != test.want {
			t.Errorf("Compile(%q).Match(%q) = %t, want %t", test.pattern, test.name, got, test.want)
		}
	}
}

func TestZeroPatternMatchesTheEmptyNameOnly(t *testing.T) {
	t.Parallel()
	var zero wildcard.Pattern
	if !zero.Match("") || zero.Match("a") || zero.String() != "" {
		t.Errorf("the zero pattern is not the empty one: %+v", zero)
	}
	if !zero.Equal(wildcard.Compile("")) {
		t.Error("the zero pattern differs from the empty one")
	}
}

func TestMatchAny(t *testing.T) {
	t.Parallel()
	patterns := []wildcard.Pattern{wildcard.Compile("a/*"), wildcard.Compile("b")}
	for name, want := range map[string]bool{"a/x": true, "b": true, "c": false, "": false} {
		if got := wildcard.MatchAny(patterns, name); got != want {
			t.Errorf("MatchAny(%q) = %t, want %t", name, got, want)
		}
	}
	if wildcard.MatchAny(nil, "") {
		t.Error("no pattern matches a name")
	}
}

func TestPatternKeepsItsText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "app", "*", "a*b*", "**"} {
		p := wildcard.Compile(text)
		if p.String() != text {
			t.Errorf("Compile(%q) prints %q", text, p)
		}
		if !p.Equal(wildcard.Compile(text)) || p.Equal(wildcard.Compile(text+"x")) {
			t.Errorf("Compile(%q) is equal to another pattern or not to itself", text)
		}
	}
	printed, err := json.Marshal([]wildcard.Pattern{wildcard.Compile("a/*")})
	if err != nil || string(printed) != `["a/*"]` {
		t.Errorf("as JSON: %s, %v", printed, err)
	}
}

// A pattern comes from a person, a name from anybody: neither may make a match
// take long.
func TestMatchIsNotExponential(t *testing.T) {
	t.Parallel()
	pattern := wildcard.Compile(strings.Repeat("a*", 2_000) + "b")
	name := strings.Repeat("a", 20_000)
	done := make(chan bool, 1)
	go func() { done <- pattern.Match(name) }()
	select {
	case got := <-done:
		if got {
			t.Error("a name without b matches a pattern that ends in b")
		}
	case <-time.After(5 * time.Second):
		t.Error("one match took more than five seconds")
	}
}

// slowMatch says what the package documentation says, letter by letter.
func slowMatch(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return slowMatch(pattern[1:], name) || name != "" && slowMatch(pattern, name[1:])
	}
	return name != "" && name[0] == pattern[0] && slowMatch(pattern[1:], name[1:])
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{{"a*a", "a"}, {"*ab*ab", "abab"}, {"a*b*c", "abbc"}, {"**", ""}, {"\xff*", "\xff"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if strings.Count(pattern, "*") > 5 || len(name) > 40 {
			t.Skip("the slow matcher would take too long")
		}
		if got, want := wildcard.Compile(pattern).Match(name), slowMatch(pattern, name); got != want {
			t.Errorf("Compile(%q).Match(%q) = %t, want %t", pattern, name, got, want)
		}
	})
}

func TestExactPatternsMatchTheirOwnTextOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"team/app": true, "": true, "team/*": false, "*": false, "a*b": false} {
		if got := wildcard.Compile(text).Exact(); got != want {
			t.Errorf("Exact of %q is %t", text, got)
		}
	}
}

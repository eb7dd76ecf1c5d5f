package lifecycle_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func FuzzParse(f *testing.F) {
	for _, folder := range []string{"valid", "invalid", "warning", "corpus", "extended/valid", "extended/invalid", "extended/warning"} {
		for _, text := range texts(f, folder) {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		checkParse(t, text, lifecycle.Extended)
		checkParse(t, text, lifecycle.AWS)
		if aws, ps := lifecycle.Parse(text, lifecycle.AWS); ps.Err() == nil {
			extended, extendedProblems := lifecycle.Parse(text, lifecycle.Extended)
			if diff := cmp.Diff(aws, extended) + cmp.Diff(ps, extendedProblems); diff != "" {
				t.Errorf("the dialects differ (-AWS +Extended):\n%s", diff)
			}
		}
	})
}

func checkParse(t *testing.T, text []byte, dialect lifecycle.Dialect) {
	t.Helper()
	p, ps := lifecycle.Parse(text, dialect)
	for _, problem := range ps {
		if problem.Line < 1 || problem.Column < 1 {
			t.Errorf("problem without a place: %+v", problem)
		}
		line := problem.String()
		if strings.ContainsFunc(line, unicode.IsControl) || !utf8.ValidString(line) || problem.Message == "" {
			t.Errorf("problem is not one clean line: %q", line)
		}
	}
	if ps.Err() != nil {
		if p.Rules != nil {
			t.Errorf("a policy beside a fault: %v", p)
		}
		return
	}
	checkRoundTrip(t, p, dialect)
}

func checkRoundTrip(t *testing.T, want lifecycle.Policy, dialect lifecycle.Dialect) {
	t.Helper()
	text, err := want.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	got, ps := lifecycle.Parse(text, dialect)
	if diff := cmp.Diff(want, got); diff != "" || ps.Err() != nil {
		t.Errorf("the printed policy is read differently (-want +got):\n%s%v", diff, ps)
	}
}

func FuzzTagPattern(f *testing.F) {
	for _, pair := range [][2]string{
		{"", ""},
		{"*", ""},
		{"a", "a"},
		{"prod*", "prod1"},
		{"*a*a*", "banana"},
		{"ab*bc", "abc"},
		{"a*b*c*d*e", "abcde"},
		{"***a", "aa"},
		{"*****", "a"},
		{"\xff*", "\xff\xfe"},
		{"ü*", "\xc3\xbc"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, text, tag string) {
		p, err := lifecycle.ParseTagPattern(text)
		if valid := text != "" && strings.Count(text, "*") <= 4; valid != (err == nil) {
			t.Fatalf("ParseTagPattern(%q) error = %v, want one: %v", text, err, !valid)
		}
		if err != nil || len(text)+len(tag) > 64 {
			return
		}
		if got, want := p.Match(tag), literalMatch(text, tag); got != want {
			t.Errorf("%q matches %q: %v, want %v", text, tag, got, want)
		}
	})
}

// literalMatch is the meaning of a pattern, word by word: * stands for nothing,
// or for one byte and whatever * stands for after that.
func literalMatch(pattern, tag string) bool {
	switch {
	case pattern == "":
		return tag == ""
	case pattern[0] == '*':
		return literalMatch(pattern[1:], tag) || tag != "" && literalMatch(pattern, tag[1:])
	}
	return tag != "" && pattern[0] == tag[0] && literalMatch(pattern[1:], tag[1:])
}

package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func TestMatchesTags(t *testing.T) {
	t.Parallel()
	one := func(members string) lifecycle.Selection { return *selection(t, members) }
	tests := map[string]struct {
		selection lifecycle.Selection
		tags      []string
		want      bool
		unmet     string // "" for none
	}{
		"any, with tags":                         {one(forAny), []string{"a"}, true, ""},
		"any, without tags":                      {one(forAny), nil, true, ""},
		"untagged, with tags":                    {one(untagged), []string{"a"}, false, ""},
		"untagged, without tags":                 {one(untagged), []string{}, true, ""},
		"pattern that a tag matches":             {one(patterns("v*")), []string{"latest", "v1"}, true, ""},
		"pattern that no tag matches":            {one(patterns("v*")), []string{"latest", "1v"}, false, "v*"},
		"pattern and no tags":                    {one(patterns("*")), nil, false, "*"},
		"patterns met by different tags":         {one(patterns("alpha*", "beta*")), []string{"beta-1", "x", "alpha-1"}, true, ""},
		"patterns met by one tag":                {one(patterns("a*", "*z")), []string{"a-z"}, true, ""},
		"patterns, one of them unmet":            {one(patterns("alpha*", "beta*", "gamma*")), []string{"alpha-1"}, false, "beta*"},
		"prefix that is the tag":                 {one(prefixes("prod")), []string{"prod"}, true, ""},
		"prefix of a tag":                        {one(prefixes("prod")), []string{"prod-1"}, true, ""},
		"prefix inside a tag":                    {one(prefixes("prod")), []string{"my-prod"}, false, "prod"},
		"prefix in another case":                 {one(prefixes("Prod")), []string{"prod"}, false, "Prod"},
		"prefix with a star, taken literally":    {one(prefixes("prod*")), []string{"prod-1"}, false, "prod*"},
		"prefixes met by different tags":         {one(prefixes("a", "b")), []string{"b1", "a1"}, true, ""},
		"prefixes, one of them unmet":            {one(prefixes("a", "b", "c")), []string{"a1", "c1"}, false, "b"},
		"tagged without a list, image with tags": {one(tagged), []string{"a"}, true, ""},
		"tagged without a list, image without":   {one(tagged), nil, false, ""},
		"expression that a tag matches":          {one(regexes(`v\\d+`)), []string{"latest", "v12"}, true, ""},
		"expression that matches a part":         {one(regexes(`v\\d+`)), []string{"xv1", "v1x"}, false, `v\d+`},
		"alternation that matches a part":        {one(regexes("a|b")), []string{"ab"}, false, "a|b"},
		"expressions, one of them unmet":         {one(regexes("a.*", "b.*")), []string{"a1"}, false, "b.*"},
		"one of the patterns is enough":          {one(patterns("a*", "b*") + oneOf), []string{"b1"}, true, ""},
		"one of the prefixes is enough":          {one(prefixes("a", "b") + oneOf), []string{"x", "a1"}, true, ""},
		"one of the expressions is enough":       {one(regexes("a.*", "b.*") + oneOf), []string{"b1"}, true, ""},
		"none of the patterns is met":            {one(patterns("a*", "b*") + oneOf), []string{"c"}, false, "a*"},
		"none of the patterns, no tags":          {one(patterns("a*", "b*") + oneOf), nil, false, "a*"},
		"excluded by another tag":                {one(patterns("a*") + except("none", "*-rc")), []string{"a1", "b-rc"}, false, ""},
		"excluded by the tag that matches":       {one(prefixes("a") + except("none", "*-rc")), []string{"a-rc"}, false, ""},
		"not excluded":                           {one(prefixes("a") + except("none", "*-rc")), []string{"a-RC", "a-rc1"}, true, ""},
		"any, excluded":                          {one(forAny + except("none", "a*")), []string{"b", "a"}, false, ""},
		"any, not excluded":                      {one(forAny + except("none", "a*")), []string{"b"}, true, ""},
		"any, untagged and so not excluded":      {one(forAny + except("none", "*")), nil, true, ""},
		"tagged without a list, excluded":        {one(tagged + except("none", "*")), []string{"b"}, false, ""},
		"zero selection":                         {lifecycle.Selection{}, []string{"a"}, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, fmt.Sprintf("MatchesTags(%q)", tt.tags), tt.want, tt.selection.MatchesTags(tt.tags))
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
				equal(t, "MatchingTags", tt.want, tt.selection.MatchingTags(tags))
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

// selection reads the members of a selection but for the count, such as "tagStatus": "any".
func selection(tb testing.TB, members string) *lifecycle.Selection {
	tb.Helper()
	p, ok := parseSelection(members)
	if !ok {
		tb.Fatalf("%s is no selection", members)
	}
	return &p.Rules[0].Selection
}

func parseSelection(members string) (lifecycle.Policy, bool) {
	p, ps := lifecycle.Parse(fmt.Appendf(nil,
		`{"rules": [{"rulePriority": 1, "selection": {%s}, "action": {"type": "retain"}}]}`, members), lifecycle.Extended)
	return p, ps.Err() == nil
}

const (
	forAny   = `"tagStatus": "any"`
	untagged = `"tagStatus": "untagged"`
	tagged   = `"tagStatus": "tagged"`
	archived = `, "storageClass": "archive"`
	oneOf    = `, "tagMatch": "any"`
)

func list(key string, entries ...string) string {
	return fmt.Sprintf(`, %q: ["%s"]`, key, strings.Join(entries, `", "`))
}

func patterns(entries ...string) string { return tagged + list("tagPatternList", entries...) }
func prefixes(entries ...string) string { return tagged + list("tagPrefixList", entries...) }
func regexes(entries ...string) string  { return tagged + list("tagRegexList", entries...) }
func except(entries ...string) string   { return list("tagExcludePatternList", entries...) }

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		s, other string
		want     bool
	}{
		{forAny, untagged, true},
		{forAny, patterns("a"), true},
		{forAny, forAny + except("a"), true},
		{forAny, forAny + archived, false},
		{untagged, untagged, true},
		{untagged, forAny, false},
		{tagged, forAny, false},
		{tagged, untagged, false},
		{tagged, patterns("a"), true},
		{patterns("*"), tagged, true},
		{patterns("*"), regexes("a"), true},
		{patterns("a*"), tagged, false},
		{patterns("v*"), patterns("v1*"), true},
		{patterns("v1*"), patterns("v*"), false},
		{patterns("*a*"), patterns("*ab*"), true},
		{patterns("a*b"), patterns("ab"), true},
		{patterns("a*b"), patterns("a*"), false},
		{patterns("v*"), prefixes("v1"), true},
		{prefixes("v"), prefixes("v1"), true},
		{prefixes("v"), patterns("v1*"), true},
		{prefixes("v"), patterns("*v"), false},
		{prefixes("v1"), prefixes("v"), false},
		// all entries, one of them
		{patterns("a*"), patterns("a", "b"), true},
		{patterns("a", "b"), patterns("a"), false},
		{patterns("a*", "ab*"), patterns("abc"), true},
		{patterns("a", "b") + oneOf, patterns("a"), true},
		{patterns("a", "b") + oneOf, patterns("a", "c"), true},
		{patterns("a", "b") + oneOf, patterns("c"), false},
		{patterns("a", "b") + oneOf, patterns("a", "b") + oneOf, true},
		{patterns("a", "b") + oneOf, patterns("a", "c") + oneOf, false},
		{patterns("a*"), patterns("ab", "ac") + oneOf, true},
		{patterns("a*", "*b"), patterns("ab", "b") + oneOf, false},
		// expressions
		{regexes("a|b"), regexes("a|b"), true},
		{regexes("a|b"), regexes("a"), false},
		{regexes("a|b"), patterns("a"), true},
		{regexes("a."), patterns("a*"), false},
		{patterns("a*"), regexes("ab"), false},
		// excluded tags
		{forAny + except("a*"), forAny, false},
		{forAny + except("a*"), untagged, true},
		{forAny + except("a*"), patterns("b"), false},
		{forAny + except("a*"), forAny + except("*"), true},
		{forAny + except("a*"), patterns("b") + except("a"), false},
		{patterns("b") + except("a"), patterns("b") + except("x", "a*"), true},
	} {
		equal(t, "{"+test.s+"} covers {"+test.other+"}", test.want, selection(t, test.s).Covers(selection(t, test.other)))
	}
	long := selection(t, patterns(strings.Split(strings.Repeat("a*,", 65), ",")[:65]...))
	if long.Covers(long) || !long.Covers(selection(t, patterns("a*"))) {
		t.Error("lists of any length are compared, or those of some length are not")
	}
	if new(lifecycle.Selection).Covers(new(lifecycle.Selection)) {
		t.Error("a selection without a tag status covers something")
	}
}

// FuzzCovers looks for an image that contradicts what was proved.
func FuzzCovers(f *testing.F) {
	for _, members := range []string{
		forAny, untagged, tagged, patterns("a*", "*b"), patterns("a", "ab") + oneOf, prefixes("a"),
		regexes("a|b", "a.*"), regexes("a.*", "b") + oneOf, forAny + except("a*", "b"), patterns("a*b*") + except("ba*"),
	} {
		for _, other := range []string{patterns("ab*"), regexes("a|b") + oneOf, prefixes("ab"), forAny + except("a")} {
			f.Add(members, other)
		}
	}
	f.Fuzz(func(t *testing.T, members, otherMembers string) {
		p, ok := parseSelection(members)
		q, otherOK := parseSelection(otherMembers)
		if !ok || !otherOK || len(p.Rules)*len(q.Rules) != 1 {
			return
		}
		s, other := &p.Rules[0].Selection, &q.Rules[0].Selection
		if !s.Covers(other) {
			return
		}
		for _, tags := range manyTags {
			if other.MatchesTags(tags) && !s.MatchesTags(tags) {
				t.Errorf("{%s} covers {%s}, but does not match %q", members, otherMembers, tags)
			}
		}
	})
}

// manyTags are the sets of up to two of the short tags there are.
var manyTags = func() [][]string {
	short := []string{""}
	for i := 0; i < len(short) && len(short[i]) < 4; i++ {
		short = append(short, short[i]+"a", short[i]+"b")
	}
	sets := [][]string{nil}
	for _, a := range short[1:] {
		for _, b := range short[1:] {
			sets = append(sets, []string{a, b})
		}
	}
	return sets
}()

package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// selection reads the members of a selection but for the count, such as
// "tagStatus": "any".
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
		if got := selection(t, test.s).Covers(selection(t, test.other)); got != test.want {
			t.Errorf("{%s} covers {%s}: %t, want %t", test.s, test.other, got, test.want)
		}
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

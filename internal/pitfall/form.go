package pitfall

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// form returns a pattern for the tag and similar ones, such as build-* for build-17, v* for
// v1.2 and 2026-* for 2026-03-01. It returns "" for the hash of a commit, which is like no
// other tag.
func form(tag string) string {
	const digits, separators = "0123456789", "-_."
	i := strings.IndexAny(tag, separators+digits)
	switch {
	case i < 0:
		return tag
	case len(tag) >= 7 && strings.Trim(tag, digits+"abcdef") == "" && strings.Trim(tag, digits) != "":
		return ""
	case i == 0:
		const year = 4
		for i < min(year, len(tag)) && strings.IndexByte(digits, tag[i]) >= 0 {
			i++
		}
	}
	if i < len(tag) && strings.IndexByte(separators, tag[i]) >= 0 {
		i++
	}
	if i == len(tag) {
		return tag
	}
	return tag[:i] + "*"
}

// similar says which tags have a form similar to one of the entries or, if there are none,
// which forms are the most frequent. It returns "" if no form is known.
func (s *Survey) similar(entries []entry) string {
	near := maps.Clone(s.forms)
	maps.DeleteFunc(near, func(f string, _ int) bool {
		return !slices.ContainsFunc(entries, func(e entry) bool { return isSimilar(f, e.text) })
	})
	if len(near) > 0 {
		return "; " + matching(near)
	}
	var texts []string
	for _, f := range most(s.forms) {
		texts = append(texts, fmt.Sprintf("%s (%d)", jsondoc.Quote(f), s.forms[f]))
	}
	if texts == nil {
		return ""
	}
	return "; the tags here are like " + strings.Join(texts, ", ")
}

// matching says how many tags match the most frequent patterns.
func matching(patterns map[string]int) string {
	var texts []string
	for _, p := range most(patterns) {
		text := "%d tags match %s"
		if patterns[p] == 1 {
			text = "%d tag matches %s"
		}
		texts = append(texts, fmt.Sprintf(text, patterns[p], jsondoc.Quote(p)))
	}
	return strings.Join(texts, ", ")
}

// most returns the most frequent patterns, at most three.
func most(patterns map[string]int) []string {
	all := slices.SortedFunc(maps.Keys(patterns), func(a, b string) int {
		return cmp.Or(cmp.Compare(patterns[b], patterns[a]), cmp.Compare(a, b))
	})
	return all[:min(3, len(all))]
}

// isSimilar reports whether two patterns have the same letters and digits, or begin with the
// same three, as release- and rel- do. It ignores case.
func isSimilar(a, b string) bool {
	a, b = letters(a), letters(b)
	return a != "" && a == b || len(a) >= 3 && len(b) >= 3 && a[:3] == b[:3]
}

func letters(pattern string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_.*", r) {
			return -1
		}
		return r
	}, strings.ToLower(pattern))
}

package lifecycle

import (
	"regexp"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

func readPatterns(v *jsondoc.Value) []TagPattern {
	var patterns []TagPattern
	for _, text := range readEntries(v, checkPattern) {
		patterns = append(patterns, TagPattern{wildcard.Compile(text)})
	}
	return patterns
}

func readRegexes(v *jsondoc.Value) []TagRegex {
	var regexes []TagRegex
	for _, text := range readEntries(v, checkRegex) {
		x, _ := compileRegex(text)
		regexes = append(regexes, x)
	}
	return regexes
}

// readEntries reads a list whose entries check finds no fault with. It returns
// nil if there is any fault in the list.
func readEntries(v *jsondoc.Value, check func(*jsondoc.Value, string)) []string {
	items, ok := v.Array()
	if ok && len(items) == 0 {
		v.Problem("must have at least one entry")
	}
	var entries []string
	seen := map[string]bool{}
	for _, item := range items {
		s, ok := item.String()
		switch {
		case !ok:
			continue
		case seen[s]:
			item.Warn("%s stands in the list already; once is enough", jsondoc.Quote(s))
		default:
			check(item, s)
		}
		seen[s] = true
		entries = append(entries, s)
	}
	if v.Faulty() {
		return nil
	}
	return entries
}

func checkPattern(v *jsondoc.Value, s string) {
	if fault := patternFault(s); fault != "" {
		v.Problem("%s", fault)
	}
	first, _, _ := strings.Cut(s, "*")
	warnUnlessTag(v, first, strings.ReplaceAll(s, "*", ""))
}

func checkPrefix(v *jsondoc.Value, s string) {
	switch {
	case s == "":
		v.Problem(`is empty; for every tagged image use "tagPatternList": ["*"]`)
	case strings.Contains(s, "*"):
		v.Warn("matches no tag: * is an ordinary character in a prefix; use tagPatternList for a pattern")
	case !warnUnlessTag(v, s, s) && EndsInNumber(s):
		v.Warn("matches %s too, since nothing ends a prefix; add what follows the number, as in %s, or use tagPatternList: %s is that tag alone there",
			jsondoc.Quote(s+"0"), jsondoc.Quote(s+"."), jsondoc.Quote(s))
	}
}

// EndsInNumber reports whether the prefix is one such as v1, which is most likely
// not meant to match v10. Years and bare digits are no such numbers.
func EndsInNumber(prefix string) bool { return endsInNumber.MatchString(prefix) }

var endsInNumber = regexp.MustCompile(`[^0-9][0-9]{1,2}$`)

func checkRegex(v *jsondoc.Value, s string) {
	if _, fault := compileRegex(s); fault != "" {
		v.Problem("%s", fault)
	}
}

// A tag as the registry API takes it:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
const (
	tagLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	maxTag     = 128
)

// warnUnlessTag warns, and returns true, if no tag can begin with first or hold
// all the literals.
func warnUnlessTag(v *jsondoc.Value, first, literals string) bool {
	if strings.Trim(literals, tagLetters) == "" && strings.IndexAny(first, ".-") != 0 && len(literals) <= maxTag {
		return false
	}
	v.Warn("matches no tag: a tag has up to %d letters, digits, _, . and -, and begins with none of . and -", maxTag)
	return true
}

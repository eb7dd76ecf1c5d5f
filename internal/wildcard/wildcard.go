// Package wildcard matches names against patterns in which * stands for any
// number of characters, also none, and every other character for itself. A
// pattern is anchored at both ends and case counts. The pattern language is
// that of ECR's tagPatternList; the cleaner uses it for repository names too,
// where * also covers the slash.
package wildcard

import "strings"

// A Pattern is a compiled pattern. The zero value matches the empty name only.
type Pattern struct {
	text string
	// segments are the literals between the stars; there is one more than
	// there are stars.
	segments []string
}

// Compile returns the pattern of that text. Every text is a pattern.
func Compile(text string) Pattern {
	return Pattern{text: text, segments: strings.Split(text, "*")}
}

// String returns the text of the pattern.
func (p Pattern) String() string { return p.text }

// MarshalText returns the text of the pattern.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// Equal reports whether both patterns have the same text.
func (p Pattern) Equal(q Pattern) bool { return p.text == q.text }

// Match reports whether the whole name matches the pattern. It takes each
// literal at its first place, which is never worse than a later one, so that
// the time is bounded by the product of the lengths whatever the pattern.
func (p Pattern) Match(name string) bool { return p.matches(name) }

func (p *Pattern) matches(name string) bool {
	if len(p.segments) <= 1 {
		return name == p.text
	}
	last := len(p.segments) - 1
	rest, ok := strings.CutPrefix(name, p.segments[0])
	if !ok {
		return false
	}
	rest, ok = strings.CutSuffix(rest, p.segments[last])
	for _, segment := range p.segments[1:last] {
		if !ok {
			return false
		}
		_, rest, ok = strings.Cut(rest, segment)
	}
	return ok
}

// MatchAny reports whether one of the patterns matches the name.
func MatchAny(patterns []Pattern, name string) bool {
	for i := range patterns { // without a copy, which would cost more than the match
		if patterns[i].matches(name) {
			return true
		}
	}
	return false
}

// Package wildcard matches names with the patterns of ECR's tagPatternList: * matches any
// number of characters or none, also the slash of a repository name, and every other
// character only itself. A pattern must match the whole name. Case counts.
package wildcard

import "strings"

// A Pattern is a compiled pattern. The zero value matches the empty name only.
type Pattern struct {
	text string
	// first is the literal before the first star, last the one after the last star, and
	// middle are those between. Without a star, all are empty.
	first, last string
	middle      []string
	starred     bool
}

// Compile returns the pattern with the text. Every text is a pattern.
func Compile(text string) Pattern {
	segments := strings.Split(text, "*")
	n := len(segments) - 1
	if n == 0 {
		return Pattern{text: text}
	}
	return Pattern{text: text, first: segments[0], last: segments[n], middle: segments[1:n], starred: true}
}

// String returns the text of the pattern.
func (p Pattern) String() string { return p.text }

// MarshalText returns the text of the pattern.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// Equal reports whether both patterns have the same text.
func (p Pattern) Equal(q Pattern) bool { return p.text == q.text }

// Exact reports whether the pattern has no star and matches one name only.
func (p Pattern) Exact() bool { return !p.starred }

// Match reports whether the pattern matches the whole name. It does not backtrack: its time
// is at most proportional to the product of the lengths.
func (p Pattern) Match(name string) bool { return p.matches(name) }

func (p *Pattern) matches(name string) bool {
	if !p.starred {
		return name == p.text
	}
	end := len(name) - len(p.last)
	if end < len(p.first) || name[:len(p.first)] != p.first || name[end:] != p.last {
		return false
	}
	rest := name[len(p.first):end]
	for _, segment := range p.middle {
		at := strings.Index(rest, segment)
		if at < 0 {
			return false
		}
		rest = rest[at+len(segment):]
	}
	return true
}

// MatchesAny reports whether the pattern matches one of the names.
func (p *Pattern) MatchesAny(names []string) bool {
	for i := range names { //nolint:modernize // slices.ContainsFunc takes half as long again
		if p.matches(names[i]) {
			return true
		}
	}
	return false
}

// MatchAny reports whether one of the patterns matches the name.
func MatchAny(patterns []Pattern, name string) bool {
	for i := range patterns { // a copy of each pattern would take longer than the match
		if patterns[i].matches(name) {
			return true
		}
	}
	return false
}

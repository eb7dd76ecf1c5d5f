package lifecycle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// maxWildcards is how many * ECR takes in one pattern:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
const maxWildcards = 4

// A TagPattern is an entry of tagPatternList: * stands for any number of
// characters, also none, every other character stands for itself, and the
// pattern must match the tag from its first to its last character. Case counts.
// Patterns come from [ParseTagPattern]; the zero value matches no tag.
type TagPattern struct{ pattern wildcard.Pattern }

// ParseTagPattern compiles a pattern. It must not be empty and have at most
// four *.
func ParseTagPattern(text string) (TagPattern, error) {
	if fault := patternFault(text); fault != "" {
		return TagPattern{}, fmt.Errorf("parse tag pattern %s: %w", jsondoc.Quote(text), errors.New(fault))
	}
	return TagPattern{wildcard.Compile(text)}, nil
}

// patternFault says what is wrong with the text of a pattern, or nothing.
func patternFault(text string) string {
	stars := strings.Count(text, "*")
	switch {
	case text == "":
		return `is empty; use "*" for every tag`
	case stars > maxWildcards:
		return fmt.Sprintf("has %d *; use at most %d", stars, maxWildcards)
	}
	return ""
}

// Match reports whether the pattern matches the whole tag. It neither allocates
// nor goes back: its time is bounded by the product of the lengths.
func (p *TagPattern) Match(tag string) bool { return p.pattern.Match(tag) }

// String returns the text of the pattern.
func (p TagPattern) String() string { return p.pattern.String() }

// Equal reports whether both patterns have the same text.
func (p TagPattern) Equal(other TagPattern) bool { return p.pattern.Equal(other.pattern) }

// matchesAny reports whether the pattern matches one of the tags.
func (p *TagPattern) matchesAny(tags []string) bool { return p.pattern.MatchesAny(tags) }

package lifecycle

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// maxWildcards is how many * ECR accepts in one pattern:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
const maxWildcards = 4

// A TagPattern is an entry of tagPatternList. Use [ParseTagPattern] to make one; the zero
// value matches no tag.
type TagPattern = wildcard.Pattern

// ParseTagPattern compiles a pattern, which must not be empty and has at most four *.
func ParseTagPattern(text string) (TagPattern, error) {
	stars := strings.Count(text, "*")
	switch {
	case text == "":
		return TagPattern{}, errors.New(`is empty; use "*" for every tag`)
	case stars > maxWildcards:
		return TagPattern{}, fmt.Errorf("has %d *; use at most %d", stars, maxWildcards)
	}
	return wildcard.Compile(text), nil
}

// maxRegex is the greatest length of an expression in characters, twice that of a tag.
const maxRegex = 256

// A TagRegex is an entry of tagRegexList: an RE2 expression that must match the whole
// tag. The syntax is https://github.com/google/re2/wiki/Syntax without \C. Use
// [ParseTagRegex] to make one; the zero value matches no tag.
type TagRegex struct {
	text  string
	whole *regexp.Regexp
}

// ParseTagRegex compiles an expression of 1 to 256 characters. The error does not contain
// the text of the expression.
func ParseTagRegex(text string) (TagRegex, error) {
	if text == "" {
		return TagRegex{}, errors.New(`is empty; use ".*" for every tag`)
	}
	if n := utf8.RuneCountInString(text); n > maxRegex {
		return TagRegex{}, fmt.Errorf("has %d characters; use at most %d, or several entries", n, maxRegex)
	}
	whole, err := compileWhole(text)
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		return TagRegex{}, fmt.Errorf("is no RE2 expression: %s: %s%s", e.Code, jsondoc.Quote(e.Expr), aroundHint(text))
	}
	return TagRegex{text, whole}, nil
}

// aroundHint says what to write in place of an expression that looks ahead or behind.
func aroundHint(text string) string {
	for _, group := range []string{"(?!", "(?<!", "(?=", "(?<="} {
		if strings.Contains(text, group) {
			return "; RE2 cannot look ahead or behind: to except tags, list them in tagExcludePatternList"
		}
	}
	return ""
}

// compileWhole anchors the expression at both ends. It parses and prints the expression
// first, so that an open \Q does not include the anchor.
func compileWhole(text string) (*regexp.Regexp, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + parsed.String() + `)\z`)
}

// Match reports whether the expression matches the whole tag. Its time is at most
// proportional to the length of the tag times the size of the expression.
func (x *TagRegex) Match(tag string) bool { return x.whole != nil && x.whole.MatchString(tag) }

// String returns the text of the expression.
func (x TagRegex) String() string { return x.text }

// Equal reports whether both expressions have the same text.
func (x TagRegex) Equal(other TagRegex) bool { return x.text == other.text }

package lifecycle

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// maxRegex is the greatest length of an expression in characters: twice that of
// a tag, and short enough to be read.
const maxRegex = 256

// A TagRegex is an entry of tagRegexList: an RE2 expression that must match the
// tag from its first to its last character, so that a|b matches the tags a and
// b only. Case counts unless the expression says (?i). Its syntax is that of
// https://github.com/google/re2/wiki/Syntax without \C. Values come from
// [ParseTagRegex]; the zero value matches no tag.
type TagRegex struct {
	text  string
	whole *regexp.Regexp
}

// ParseTagRegex compiles an expression. It must not be empty and have at most
// 256 characters.
func ParseTagRegex(text string) (TagRegex, error) {
	x, fault := compileRegex(text)
	if fault != "" {
		return TagRegex{}, fmt.Errorf("parse tag expression %s: %w", jsondoc.Quote(text), errors.New(fault))
	}
	return x, nil
}

// compileRegex compiles an expression, or says what is wrong with it.
func compileRegex(text string) (x TagRegex, fault string) {
	if text == "" {
		return TagRegex{}, `is empty; use ".*" for every tag`
	}
	if n := utf8.RuneCountInString(text); n > maxRegex {
		return TagRegex{}, fmt.Sprintf("has %d characters; use at most %d, or several entries", n, maxRegex)
	}
	whole, err := compileWhole(text)
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		return TagRegex{}, fmt.Sprintf("is no RE2 expression: %s: %s", e.Code, jsondoc.Quote(e.Expr))
	}
	return TagRegex{text, whole}, ""
}

// compileWhole anchors the expression at both ends. Parsed and printed it is
// closed before that: neither a|b nor an open \Q reaches the anchors.
func compileWhole(text string) (*regexp.Regexp, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + parsed.String() + `)\z`)
}

// Match reports whether the expression matches the whole tag. Its time is
// bounded by the length of the tag times the size of the expression.
func (x *TagRegex) Match(tag string) bool { return x.whole != nil && x.whole.MatchString(tag) }

// String returns the text of the expression.
func (x TagRegex) String() string { return x.text }

// Equal reports whether both expressions have the same text.
func (x TagRegex) Equal(other TagRegex) bool { return x.text == other.text }

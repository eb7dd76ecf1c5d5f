// Package doctype recognises the documents that people confuse with each other, by their keys. It
// also reads a policy from the output of "aws ecr get-lifecycle-policy".
package doctype

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A Kind is the kind of a document, with its article. It is "" if the kind is unknown.
type Kind string

// The kinds of documents.
const (
	Policy        Kind = "a lifecycle policy"
	Configuration Kind = "a configuration"
	Report        Kind = "a saved plan or report"
	Images        Kind = `the output of "aws ecr describe-images"`
	Log           Kind = "a log"
	Template      Kind = "a CloudFormation template"
	Terraform     Kind = "a Terraform file"
)

// Of returns the kind that the keys of the text show. The text may be invalid or cut short.
func Of(text []byte) Kind {
	found := members(jsondoc.WithoutComments(text))
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { _, there := found[name]; return there })
	}
	switch {
	case has("lifecyclePolicyText"):
		return Policy
	case has("imageDetails"):
		return Images
	case has("version") && has("repositories", "runId", "mode"):
		return Report
	case has("run_id", "events"):
		return Log
	case has("Resources"), template.Match(text):
		return Template
	case has("policies", "protect", "limits", "onExpire", "orphans", "mode", "repositories", "report", "price"):
		return Configuration
	case has("rules"):
		return Policy
	}
	return ""
}

var template = regexp.MustCompile(`(?m)^Resources\s*:`)

// members returns the raw members of an object with the offset of each, as far as the text is JSON.
func members(text []byte) map[string]member {
	found := map[string]member{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if opening, _ := decoder.Token(); opening != json.Delim('{') {
		return found
	}
	for {
		name, _ := decoder.Token()
		key, isKey := name.(string)
		if !isKey {
			return found
		}
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		found[key] = member{raw, int(decoder.InputOffset()) - len(raw)}
		if err != nil {
			return found
		}
	}
}

type member struct {
	raw    json.RawMessage // empty if the text is cut short
	offset int
}

// A PolicyText is the text of a policy from a file.
type PolicyText struct {
	Text []byte
	// line and column are the place of raw in the file. Raw is the JSON string whose value is
	// Text, or nil if Text is the whole file.
	line, column int
	raw          []byte
}

// ReadPolicy returns the policy in a file. In the output of get-lifecycle-policy that is the
// value of lifecyclePolicyText. Otherwise it is the whole text.
func ReadPolicy(content []byte) PolicyText {
	inner, there := members(content)["lifecyclePolicyText"]
	var text string
	if !there || json.Unmarshal(inner.raw, &text) != nil {
		return PolicyText{Text: content}
	}
	before := content[:inner.offset]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return PolicyText{
		Text: []byte(text), raw: inner.raw,
		line: bytes.Count(before, []byte("\n")) + 1, column: utf8.RuneCount(line) + 1,
	}
}

// Place returns the problems of Text with their lines and columns in the file.
func (p PolicyText) Place(problems jsondoc.Problems) jsondoc.Problems {
	if p.raw == nil {
		return problems
	}
	placed := make(jsondoc.Problems, len(problems))
	for i, problem := range problems {
		problem.Line, problem.Column = p.line, p.column+p.width(p.index(problem.Line, problem.Column))
		placed[i] = problem
	}
	return placed
}

// index returns how many characters of Text are before a place in it.
func (p PolicyText) index(line, column int) int {
	before := 0
	for range line - 1 {
		before += bytes.IndexByte(p.Text[before:], '\n') + 1
	}
	return utf8.RuneCount(p.Text[:before]) + column - 1
}

// width returns how many characters of raw are before the character of Text with the index.
func (p PolicyText) width(index int) int {
	raw := []rune(string(p.raw))
	at := 1 // after the quote
	for range index {
		switch {
		case at >= len(raw) || raw[at] != '\\':
			at++
		case raw[at+1] != 'u':
			at += 2
		case utf16.IsSurrogate(unit(raw[at:])) && utf16.DecodeRune(unit(raw[at:]), unit(raw[at+6:])) != utf8.RuneError:
			at += 12
		default:
			at += 6
		}
	}
	return at
}

// unit returns the UTF-16 unit of an escape \uXXXX at the beginning of the text, or 0.
func unit(text []rune) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	n, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // valid, because the string is
	return rune(n)
}

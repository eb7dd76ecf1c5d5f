// Package doctype recognises the documents that people confuse with each other, by their keys. It
// also reads a policy from the output of "aws ecr get-lifecycle-policy".
package doctype

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/place"
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
	case has("policies", "protect", "limits", "onExpire", "orphans", "mode", "repositories", "report", "price"):
		return Configuration
	case has("rules"):
		return Policy
	}
	return ""
}

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

// ReadPolicy returns the policy in a file. In the output of get-lifecycle-policy that is the
// value of lifecyclePolicyText. Otherwise it is the whole text.
func ReadPolicy(content []byte) place.Spelling {
	inner, there := members(content)["lifecyclePolicyText"]
	var text string
	if !there || json.Unmarshal(inner.raw, &text) != nil {
		return place.Spelling{Text: content}
	}
	begin := place.Mark{Line: 1, Column: 1}.After(content[:inner.offset])
	return place.Find(text, inner.raw, begin, true)
}

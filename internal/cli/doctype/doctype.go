// Package doctype recognises the documents that people confuse with each other, by their keys. It
// also reads a policy from the output of "aws ecr get-lifecycle-policy".
package doctype

import (
	"bytes"
	"encoding/json"
	"regexp"
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
	Log           Kind = "a log"
	Template      Kind = "a CloudFormation template"
	Terraform     Kind = "a Terraform file"
)

// maxBytes is how much of a document Of reads: its first keys show the kind.
const maxBytes = 1 << 20

// Of returns the kind that the keys of the text show. The text may be invalid or cut short.
func Of(text []byte) Kind {
	text = text[:min(len(text), maxBytes)]
	switch found := membersOf(jsondoc.WithoutComments(text)); {
	case found.have("lifecyclePolicyText"):
		return Policy
	case found.have("imageDetails"):
		return Images
	case found.have("version") && found.have("repositories", "runId", "mode"):
		return Report
	case found.have("run_id", "events"):
		return Log
	case found.have("Resources"), template.Match(text):
		return Template
	case found.have("policies", "protect", "limits", "onExpire", "orphans", "mode", "repositories", "report", "price"):
		return Configuration
	case found.have("rules"):
		return Policy
	}
	return ""
}

var template = regexp.MustCompile(`(?m)^Resources\s*:`)

// Has reports whether the text, which may be invalid or cut short, begins with an object that
// has one of the members.
func Has(text []byte, names ...string) bool { return membersOf(text).have(names...) }

// members are the raw members of an object.
type members map[string]member

type member struct {
	raw    json.RawMessage // empty if the text is cut short
	offset int
}

func (m members) have(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { _, there := m[name]; return there })
}

// membersOf returns the members of an object, as far as the text is JSON.
func membersOf(text []byte) members {
	found := members{}
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

// ReadPolicy returns the policy in a file. In the output of get-lifecycle-policy that is the
// value of lifecyclePolicyText. Otherwise it is the whole text.
func ReadPolicy(content []byte) place.Spelling {
	inner, there := membersOf(content)["lifecyclePolicyText"]
	var text string
	if !there || json.Unmarshal(inner.raw, &text) != nil {
		return place.Spelling{Text: content}
	}
	begin := place.Mark{Line: 1, Column: 1}.After(content[:inner.offset])
	return place.Find(text, inner.raw, begin, true)
}

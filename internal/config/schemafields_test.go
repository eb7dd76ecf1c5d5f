package config_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
)

// A schemaWalk compares every place of the schema with what the parser says
// about values that are wrong there.
type schemaWalk struct {
	t    *testing.T
	defs map[string]any
	seen map[string]bool // the keywords that were compared
}

// TestSchemaIsInStepWithTheCode: the same fields at every level, and the same
// types, values and bounds.
func TestSchemaIsInStepWithTheCode(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	if err := json.Unmarshal(corpus.File(t, schemaFile), &schema); err != nil {
		t.Fatal(err)
	}
	w := &schemaWalk{t: t, defs: schema["$defs"].(map[string]any), seen: map[string]bool{}}
	w.visit(schema, "", "%s")
	want := []string{"bounds", "empty list", "empty string", "fields", "type", "values"}
	equal(t, "compared fields", want, slices.Sorted(maps.Keys(w.seen)))
}

// visit compares the place at the path; the document with a value there is the template with it.
func (w *schemaWalk) visit(node map[string]any, path, template string) {
	if ref, isRef := node["$ref"].(string); isRef {
		node = w.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if policy, isPolicy := node["else"].(map[string]any); isPolicy && node["type"] == nil { // or the word of a source
		if words, some := node["then"].(map[string]any); some {
			w.values(words["enum"].([]any), path, template)
		}
		node = w.defs[strings.TrimPrefix(policy["$ref"].(string), "#/$defs/")].(map[string]any)
	}
	w.kind(node, path, template)
	if list, is := node["enum"].([]any); is {
		w.values(list, path, template)
	}
	if low, is := node["minimum"].(float64); is {
		w.bounds(int(low), int(node["maximum"].(float64)), path, template)
	}
	if node["minLength"] != nil {
		w.refused("empty string", path, template, `""`, "is empty")
	}
	if items, is := node["items"].(map[string]any); is {
		if node["minItems"] != nil {
			w.refused("empty list", path, template, `[]`, "is empty", "must have")
		}
		w.visit(items, path+"[0]", fmt.Sprintf(template, "[%s]"))
	}
	properties, _ := node["properties"].(map[string]any)
	if len(properties) == 0 {
		return
	}
	w.fields(slices.Sorted(maps.Keys(properties)), path, template)
	for name, property := range properties {
		w.visit(property.(map[string]any), strings.TrimPrefix(path+"."+name, "."), fmt.Sprintf(template, `{"`+name+`": %s}`))
	}
}

// at returns what the parser says about the value at the path.
func (w *schemaWalk) at(path, template, value string) string {
	w.t.Helper()
	_, problems := config.Parse(fmt.Appendf(nil, template, value))
	var messages []string
	for _, p := range problems {
		if p.Path == path {
			messages = append(messages, p.Message)
		}
	}
	return strings.Join(messages, "; ")
}

// refused checks that the parser refuses the value with one of the words.
func (w *schemaWalk) refused(keyword, path, template, value string, words ...string) {
	w.t.Helper()
	w.seen[keyword] = true
	said := w.at(path, template, value)
	of := said + w.at(strings.TrimSuffix(path, "[0]"), template, value) // the list may be refused as a whole
	if !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(said, word) }) && !isRefusedWord(of) {
		w.t.Errorf("%s: the parser says of %s %q, want one of %q", path, value, said, words)
	}
}

// isRefusedWord reports whether the parser does not know the extended dialect
// and refuses the whole field.
func isRefusedWord(said string) bool { return strings.Contains(said, "is an extension of ecrclean") }

// kind checks that a value of another type is refused.
func (w *schemaWalk) kind(node map[string]any, path, template string) {
	names := map[string]string{"object": "an object", "array": "an array", "string": "a string", "integer": "a number", "number": "a number", "boolean": "a boolean"}
	name, value := names[fmt.Sprint(node["type"])], "true"
	if name == "" { // of a list of values
		name = "a string"
	}
	if name == "a boolean" {
		value = "1"
	}
	w.refused("type", path, template, value, "must be "+name)
}

var quoted = regexp.MustCompile(`"([^"]*)"`)

// list returns what is quoted after the word "use", each once.
func list(said string) []string {
	_, rest, _ := strings.Cut(said, ": use ")
	rest, _, _ = strings.Cut(rest, " (case")
	var found []string
	for _, m := range quoted.FindAllStringSubmatch(rest, -1) {
		found = append(found, m[1])
	}
	return found
}

// values checks that parser and schema know the same words, but for those of the extended dialect.
func (w *schemaWalk) values(listed []any, path, template string) {
	w.seen["values"] = true
	said := w.at(path, template, `"?"`)
	if isRefusedWord(said) {
		return
	}
	w.same(path, list(said), strs(listed), func(word string) string { return w.at(path, template, `"`+word+`"`) })
}

// fields checks that parser and schema know the same members.
func (w *schemaWalk) fields(listed []string, path, template string) {
	w.seen["fields"] = true
	member := func(name string) string {
		return w.at(strings.TrimPrefix(path+"."+name, "."), template, `{"`+name+`": true}`)
	}
	unknown := strings.TrimPrefix(path+".unknown", ".")
	w.same(path, list(w.at(unknown, template, `{"unknown": 1}`)), listed, member)
}

// same checks that both have the same words. One that only the schema has must
// be of the extended dialect.
func (w *schemaWalk) same(path string, parser, schema []string, about func(word string) string) {
	w.t.Helper()
	for _, word := range parser {
		if !slices.Contains(schema, word) {
			w.t.Errorf("%s: the schema lacks %q", path, word)
		}
	}
	for _, word := range schema {
		if !slices.Contains(parser, word) && !isRefusedWord(about(word)) {
			w.t.Errorf("%s: the parser does not know %q: %s", path, word, about(word))
		}
	}
}

func (w *schemaWalk) bounds(low, high int, path, template string) {
	for _, n := range []int{low - 1, high + 1} {
		w.refused("bounds", path, template, fmt.Sprint(n), fmt.Sprintf("must be from %d to %d", low, high))
	}
	for _, n := range []int{low, high} {
		if said := w.at(path, template, fmt.Sprint(n)); strings.Contains(said, "must be from") {
			w.t.Errorf("%s: the parser says of %d %q", path, n, said)
		}
	}
}

func strs(list []any) []string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return texts
}

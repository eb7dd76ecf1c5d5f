package config_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

const schemaFile = "../../schema/configuration.schema.json"

// A validator says whether a text is as a schema describes it.
type validator struct{ schema *jsonschema.Resolved }

func (v validator) accepts(text []byte) bool {
	var document any
	return json.Unmarshal(text, &document) == nil && v.schema.Validate(document) == nil
}

// newValidator returns the validator of the schema, or of one of its definitions.
func newValidator(tb testing.TB, definition string) validator {
	tb.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		tb.Fatal(err)
	}
	if definition != "" {
		var whole struct {
			Defs json.RawMessage `json:"$defs"`
		}
		if err := json.Unmarshal(text, &whole); err != nil {
			tb.Fatal(err)
		}
		text = []byte(`{"$ref": "#/$defs/` + definition + `", "$defs": ` + string(whole.Defs) + `}`)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		tb.Fatal(err)
	}
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		tb.Fatal(err)
	}
	return validator{resolved}
}

// beyond are the faults that a schema cannot express, by the name of the case.
var beyond = map[string]string{
	"repeated field": "repetition", "repeated part": "repetition", "repeated same list": "repetition", "repeated tag": "repetition", "repeated alias": "repetition", "alias twice": "repetition", "alias of a registry": "names a registry", "repeated-keys": "repetition",
	"too-long":            "length of the text",
	"no target of a list": "compares fields",
	"duplicate-priority":  "compares rules", "identical-lists": "compares rules", "two-any-rules": "compares rules",
	"two-any-rules-and-none-last": "compares rules", "any-not-last": "compares rules", "any-not-last-in-archive": "compares rules", "excluding-does-not-excuse-the-others": "compares rules",
	"retain-any-image-is-not-last": "compares rules", "same-lists": "compares rules", "two-untagged-rules": "compares rules",
}

// wantAgreement checks that parser and schema say the same about a document, where a schema can.
func wantAgreement(t *testing.T, name string, parsed, accepted bool) {
	t.Helper()
	why, isBeyond := beyond[name]
	switch {
	case parsed && !accepted:
		t.Errorf("%s: the schema refuses what is right", name)
	case !parsed && accepted && !isBeyond:
		t.Errorf("%s: the schema accepts what the parser refuses", name)
	case isBeyond && !accepted:
		t.Errorf("%s: the schema does express it; take it out of beyond (%s)", name, why)
	}
}

func TestSchemaAgreesOnConfigurations(t *testing.T) {
	t.Parallel()
	v := newValidator(t, "")
	agree := func(name, text string) {
		_, problems := config.Parse([]byte(text))
		wantAgreement(t, name, problems.Err() == nil, v.accepts([]byte(text)))
	}
	for name, test := range faulty {
		agree(name, test.text)
	}
	for name, test := range faultyEntries {
		agree(name, test.text)
	}
	for _, name := range []string{"testdata/all.json", "testdata/defaults.json"} {
		agree(name, string(corpus.File(t, name)))
	}
	long := strings.Repeat("k", 129)
	for _, text := range []string{
		`{}`, `{"$schema": "x"}`, `{"policies": []}`, `{"policies": [{}]}`, `{"policies": [{"policy": ` + keep3 + `}]}`,
		`{"protect": {"inUse": [], "tagPatterns": [], "eksClusters": []}, "limits": {"maxDeletedPercent": 0}}`,
		`{"policies": [{"repositoryTags": {"` + long[1:] + `": "` + long[1:] + long[1:] + `"}}]}`,
		`{"policies": [{"repositoryTags": {"` + long + `": ""}}]}`, `{"policies": [{"repositoryTags": {"a": "` + long + long + `"}}]}`,
		`{"report": {"s3": "s3://b/p", "sns": "arn:aws:sns:x"}}`, `{"report": {"s3": " s3://b"}}`,
	} {
		agree(text, text)
	}
}

// The policies that the parser of ECR's dialect is tested with.
func TestSchemaAgreesOnPoliciesOfECR(t *testing.T) {
	t.Parallel()
	v := newValidator(t, "awsPolicy")
	for _, dir := range []string{"valid", "warning", "invalid"} {
		for name, text := range corpus.Files(t, "../lifecycle/testdata/"+dir+"/*.json") {
			if !utf8.Valid(text) {
				continue // encoding/json mends it
			}
			_, problems := lifecycle.ParseText(text)
			wantAgreement(t, name, problems.Err() == nil, v.accepts(text))
		}
	}
}

// whole returns a policy of one rule.
func whole(selection, action string) string {
	return `{"rules": [{"rulePriority": 1, "selection": {` + selection + `}, "action": {` + action + `}}]}`
}

// Policies in the configuration are in the extended dialect. A parser that does
// not know it finds no other fault in the valid ones.
func TestSchemaAgreesOnTheExtendedDialect(t *testing.T) {
	t.Parallel()
	v := newValidator(t, "")
	const (
		tagged = `"tagStatus": "tagged", "tagPatternList": ["v*"], `
		count  = `"countType": "imageCountMoreThan", "countNumber": 5`
		age    = `"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 5`
		expire = `"type": "expire"`
	)
	for text, valid := range map[string]bool{
		whole(`"tagStatus": "tagged"`, `"type": "retain"`):                                                          true,
		whole(`"tagStatus": "any", "storageClass": "archive"`, `"type": "retain"`):                                  true,
		whole(tagged+count, `"type": "retain"`):                                                                     false,
		whole(`"tagStatus": "any", "keepNewest": 1`, `"type": "retain"`):                                            false,
		whole(`"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 1`, expire): true,
		whole(`"tagStatus": "tagged", `+count, expire):                                                              true,
		whole(tagged+`"tagExcludePatternList": ["*-rc"], `+count, expire):                                           true,
		whole(`"tagStatus": "any", "tagExcludePatternList": ["*-rc"], `+count, expire):                              true,
		whole(`"tagStatus": "untagged", "tagExcludePatternList": ["*-rc"], `+count, expire):                         false,
		whole(tagged+`"tagExcludePatternList": [], `+count, expire):                                                 false,
		whole(tagged+`"tagExcludePatternList": ["*****"], `+count, expire):                                          false,
		whole(tagged+`"tagMatch": "any", `+count, expire):                                                           true,
		whole(tagged+`"tagMatch": "one", `+count, expire):                                                           false,
		whole(`"tagStatus": "tagged", "tagMatch": "any", `+count, expire):                                           false,
		whole(`"tagStatus": "any", "tagMatch": "any", `+count, expire):                                              false,
		whole(`"tagStatus": "tagged", "tagRegexList": ["a|b"], `+count, expire):                                     true,
		whole(`"tagStatus": "tagged", "tagRegexList": [""], `+count, expire):                                        false,
		whole(tagged+`"tagRegexList": ["a|b"], `+count, expire):                                                     false,
		whole(tagged+age+`, "keepNewest": 10`, expire):                                                              true,
		whole(tagged+age+`, "keepNewest": 0`, expire):                                                               false,
		whole(tagged+count+`, "keepNewest": 10`, expire):                                                            false,
		whole(tagged+age, `"type": "untag"`):                                                                        true,
		whole(`"tagStatus": "tagged", `+age, `"type": "untag"`):                                                     false,
		whole(`"tagStatus": "untagged", `+age, `"type": "untag"`):                                                   false,
		whole(tagged+age, `"type": "untag", "targetStorageClass": "archive"`):                                       false,
		whole(tagged+`"countType": "sinceImagePulled", "countNumber": 1`, expire):                                   false,
		whole(tagged+count, `"type": "delete"`):                                                                     false,
		whole(tagged+count+`, "repositories": []`, expire):                                                          false,
	} {
		document := configured(text)
		equal(t, "the schema accepts "+text, valid, v.accepts(document))
		_, problems := config.Parse(document)
		for _, p := range problems {
			if valid && !p.Warning && !strings.Contains(p.Message, "is an extension of ecrclean") {
				t.Errorf("%s: the parser finds %s", text, p)
			}
		}
		if !valid && problems.Err() == nil {
			t.Errorf("the parser accepts %s", text)
		}
	}
	for _, dir := range []string{"valid", "warning", "invalid"} { // what a parser that knows the dialect is tested with
		for name, text := range corpus.Files(t, "../lifecycle/testdata/extended/"+dir+"/*.json") {
			_, problems := config.Parse(configured(string(text)))
			wantAgreement(t, name, problems.Err() == nil, v.accepts(configured(string(text))))
		}
	}
}

// configured returns a configuration with the policy.
func configured(policy string) []byte { return []byte(`{"policies": [{"policy": ` + policy + `}]}`) }

func TestSchemaHasTheDefaults(t *testing.T) {
	t.Parallel()
	var schema struct {
		Properties map[string]struct{ Default json.RawMessage }
	}
	if err := json.Unmarshal(corpus.File(t, schemaFile), &schema); err != nil {
		t.Fatal(err)
	}
	spelt := map[string]json.RawMessage{}
	for name, property := range schema.Properties {
		if property.Default != nil {
			spelt[name] = property.Default
		}
	}
	text, err := json.Marshal(spelt)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "hash of the defaults of the schema", hash(t, config.Default()), hash(t, mustParse(t, string(text))))
	var got, want any
	for text, into := range map[string]*any{string(text): &got, string(corpus.File(t, "testdata/defaults.json")): &want} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	wantSameFields(t, "", want, got)
}

// wantSameFields checks that no field is left to its default by being absent.
func wantSameFields(t *testing.T, path string, want, got any) {
	t.Helper()
	fields, isObject := want.(map[string]any)
	if !isObject {
		return
	}
	others, _ := got.(map[string]any)
	for name := range fields {
		if _, there := others[name]; !there {
			t.Errorf("the schema has no default for %s%s", path, name)
		}
		wantSameFields(t, path+name+".", fields[name], others[name])
	}
}

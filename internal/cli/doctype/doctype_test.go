package doctype_test

import (
	"encoding/json"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]doctype.Kind{
		`{"rules": []}`:    doctype.Policy,
		`{"rules": [{"ru`:  doctype.Policy,
		`{"policies": []}`: doctype.Configuration,
		"// mine\n{\"protect\": {}, // x\n\"rules\": []}":   doctype.Configuration,
		`{"version": 1, "runId": "x", "mode": "pl`:          doctype.Report,
		`{"version": 1, "repositories": []}`:                doctype.Report,
		`{"repositoryName": "a", "lifecyclePolicyText": ""`: doctype.Policy,
		`{"imageDetails": [`:                                doctype.Images,
		`{"version": 1, "references": []}`:                  "",
		`{}`:                                                "",
		`[{}]`:                                              "",
		`"rules"`:                                           "",
		"":                                                  "",
		"{\"ru\xff":                                         "",
	} {
		awstest.Equal(t, text, want, doctype.Of([]byte(text)))
	}
}

// A character of the policy has its place in the file, whatever escapes are before it.
func TestPlace(t *testing.T) {
	t.Parallel()
	file := "{\n \"größe\": 1, \"lifecyclePolicyText\": \"\\u00fcé\\ud83d\\ude00\\ud83d\\n\\\"!\\/x\"}"
	in := doctype.ReadPolicy([]byte(file))
	awstest.Equal(t, "text", "üé😀\ufffd\n\"!/x", string(in.Text))
	problems := jsondoc.Problems{{Line: 1, Column: 1}, {Line: 1, Column: 2}, {Line: 1, Column: 3}, {Line: 1, Column: 4}, {Line: 2, Column: 1}, {Line: 2, Column: 4}}
	columns := []int{}
	for _, p := range in.InFile(problems) {
		awstest.Equal(t, "line", 2, p.Line)
		columns = append(columns, p.Column)
	}
	awstest.Equal(t, "columns", []int{38, 44, 45, 57, 65, 70}, columns)
}

func TestAPolicyHasNoOtherPlace(t *testing.T) {
	t.Parallel()
	for _, file := range []string{`{"rules": []}`, `{"lifecyclePolicyText": {"rules": []}}`, `{"lifecyclePolicyText": "x`, "x"} {
		in := doctype.ReadPolicy([]byte(file))
		awstest.Equal(t, "text", file, string(in.Text))
		awstest.Equal(t, "place", 7, in.InFile(jsondoc.Problems{{Line: 1, Column: 7}})[0].Column)
	}
}

// Any text in the output has a place for each of its problems.
func FuzzPlace(f *testing.F) {
	f.Add("{\"rules\": [{\n\"ü\": \"\\ud83d\"}]}", true)
	f.Fuzz(func(t *testing.T, policy string, escaped bool) {
		text, err := json.Marshal(policy)
		awstest.NoError(t, err)
		if !escaped {
			text = []byte(`"` + policy + `"`)
		}
		file := append([]byte(`{"lifecyclePolicyText": `), append(text, '}')...)
		in := doctype.ReadPolicy(file)
		for _, p := range in.InFile(jsondoc.Parse(in.Text).Problems()) {
			if p.Line < 1 || p.Column < 1 || p.Column > len(file)+1 {
				t.Errorf("%q: problem at %d:%d", file, p.Line, p.Column)
			}
		}
	})
}

package source_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/policyfile/source"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// read reads one file that has the content, in a folder without other files.
func read(t *testing.T, name, content string) []source.Policy {
	t.Helper()
	name = filepath.Join("none", name)
	policies, _ := source.Read([]string{name}, func(other string) ([]byte, error) {
		if other != name {
			return nil, os.ErrNotExist
		}
		return []byte(content), nil
	})
	for _, p := range policies {
		if (p.Text == nil) == (p.Problems == nil) || p.NotRead && p.Problems.Err() == nil {
			t.Errorf("%s has text %q and problems %v", p.Address, p.Text, p.Problems)
		}
		for line := range strings.Count(string(p.Text), "\n") + 1 {
			placed := p.InFile(jsondoc.Problems{{Line: line + 1, Column: 1}})
			if at := placed[0]; at.Line < 1 || at.Column < 1 || at.Line > strings.Count(content, "\n")+2 {
				t.Errorf("line %d of %q is at %v of a file with %d lines", line, p.Text, at, strings.Count(content, "\n"))
			}
		}
	}
	return policies
}

// seeds adds the files of the test data whose names end so.
func seeds(f *testing.F, add func(content string), ends ...string) {
	f.Helper()
	for _, archive := range corpus.Files(f, "testdata/*.txtar") {
		for _, file := range txtar.Parse(archive).Files {
			for _, end := range ends {
				if strings.HasSuffix(file.Name, end) {
					add(string(file.Data))
				}
			}
		}
	}
}

// What Terraform itself would evaluate is the same text, or is reported as not read.
func FuzzTerraform(f *testing.F) {
	seeds(f, func(content string) { f.Add(content) }, ".tf", ".tofu")
	f.Fuzz(func(t *testing.T, content string) {
		policies := read(t, "main.tf", content)
		file, faults := hclsyntax.ParseConfig([]byte(content), "main.tf", hcl.InitialPos)
		if faults.HasErrors() {
			if len(policies) != 1 || policies[0].Text != nil {
				t.Errorf("of a file that is not valid it reads %v", policies)
			}
			return
		}
		byAddress := map[string][]source.Policy{}
		for _, p := range policies {
			if p.Address == "" {
				return // the file is nested too deeply
			}
			byAddress[p.Address] = append(byAddress[p.Address], p)
		}
		for _, b := range file.Body.(*hclsyntax.Body).Blocks {
			a := b.Body.Attributes["policy"]
			if b.Type != "resource" || len(b.Labels) != 2 || b.Labels[0] != "aws_ecr_lifecycle_policy" || a == nil {
				continue
			}
			found := byAddress["aws_ecr_lifecycle_policy."+b.Labels[1]]
			if len(found) == 0 {
				if v, faults := a.Expr.Value(nil); faults.HasErrors() || !v.IsNull() {
					t.Errorf("%s is missing", b.Labels[1])
				}
				continue
			}
			byAddress["aws_ecr_lifecycle_policy."+b.Labels[1]] = found[1:]
			if found[0].Text != nil && len(a.Expr.Variables()) == 0 && !strings.Contains(content, "file") {
				wantEvaluated(t, a.Expr, found[0].Text)
			}
		}
	})
}

// wantEvaluated compares the text with the value that Terraform's evaluator returns.
func wantEvaluated(t *testing.T, e hcl.Expression, got []byte) {
	t.Helper()
	v, faults := e.Value(&hcl.EvalContext{Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc}})
	if object, ok := e.(*hclsyntax.ObjectConsExpr); ok && len(object.Items) > 0 {
		return // of awscc_ecr_repository
	}
	if faults.HasErrors() || v.IsNull() || v.Type() != cty.String {
		t.Errorf("%q is read, Terraform returns %#v, %v", got, v, faults)
		return
	}
	if string(got) != v.AsString() && !sameJSON(got, []byte(v.AsString())) {
		t.Errorf("reads %q, Terraform %q", got, v.AsString())
	}
}

// sameJSON compares values. A repeated key is a problem of the policy.
func sameJSON(a, b []byte) bool {
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		return false
	}
	for _, p := range jsondoc.Parse(a).Problems() {
		if strings.HasPrefix(p.Message, "is given twice") || strings.Contains(p.Message, "nested") {
			return true
		}
	}
	return reflect.DeepEqual(x, y)
}

// The text of a policy in a template is the one that the template's author gave.
func FuzzTemplateText(f *testing.F) {
	for i, text := range []string{`{"rules": []}`, "{\n  \"a\": 1\n}\n", " it's \t", "\"\\", "", "ü\u2028🐳", "a: b # c", "!Ref x"} {
		f.Add(text, uint8(i))
	}
	styles := []yaml.Style{0, yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle, yaml.LiteralStyle, yaml.FoldedStyle}
	f.Fuzz(func(t *testing.T, text string, style uint8) {
		if !utf8.ValidString(text) {
			return
		}
		value := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: styles[int(style)%len(styles)]}
		template, err := yaml.Marshal(map[string]any{"Resources": map[string]any{"App": map[string]any{
			"Type":       "AWS::ECR::Repository",
			"Properties": map[string]any{"LifecyclePolicy": map[string]any{"LifecyclePolicyText": &value}},
		}}})
		var written struct {
			Resources struct {
				App struct {
					Properties struct{ LifecyclePolicy map[string]string } `yaml:"Properties"`
				} `yaml:"App"`
			} `yaml:"Resources"`
		}
		if err != nil || yaml.Unmarshal(template, &written) != nil {
			return // the encoder cannot write the text in this style
		}
		policies := read(t, "template.yaml", string(template))
		if len(policies) != 1 || string(policies[0].Text) != text && text == value.Value && utf8.RuneCountInString(text) == len(text) && !strings.ContainsAny(text, "\r\n") {
			t.Errorf("of %q it reads %v", template, policies)
		}
	})
}

// Whatever a file has, nothing panics, and a policy has a text or a reason.
func FuzzRead(f *testing.F) {
	seeds(f, func(content string) { f.Add(content, uint8(0)) }, ".yaml", ".yml")
	seeds(f, func(content string) { f.Add(content, uint8(1)) }, ".json")
	seeds(f, func(content string) { f.Add(content, uint8(2)) }, ".tf.json")
	names := []string{"template.yaml", "template.json", "main.tf.json", "-"}
	f.Fuzz(func(t *testing.T, content string, name uint8) {
		read(t, names[int(name)%len(names)], content)
	})
}

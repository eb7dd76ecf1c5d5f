package source

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A module has the blocks of a Terraform module that can have a policy.
type module struct {
	folder    string
	read      Reader
	resources []resource
	locals    map[string]hcl.Expression // nil if the module defines it again
	documents []*document
	texts     map[string][]byte // by file name
}

// A resource is an attribute that has a policy.
type resource struct {
	address string
	value   hcl.Expression
	name    hcl.Range // of the attribute
}

// A document is a data source aws_ecr_lifecycle_policy_document.
type document struct {
	name  string
	block *hcl.Block
	used  bool // by a resource, which is checked with it
}

// terraform returns the policies in one file of a folder, or in all for "". Locals and
// documents may be in any file.
func terraform(folder, name string, read Reader) ([]Policy, error) {
	m := &module{folder: folder, read: read, locals: map[string]hcl.Expression{}, texts: map[string][]byte{}}
	var policies []Policy
	names, _ := filepath.Glob(filepath.Join(folder, "*")) // without a match the named file remains
	names = slices.DeleteFunc(names, func(other string) bool { return !isTerraform(other) || other == filepath.Clean(name) })
	if name != "" {
		names = append(names, name)
	}
	for _, file := range names {
		content, err := read(file)
		var faults jsondoc.Problems
		if err == nil {
			faults = m.add(file, content)
		}
		switch {
		case name != "" && name != file: // another file counts only if it can be read
		case err != nil:
			return nil, err
		case faults != nil:
			policies = append(policies, Policy{File: file, Problems: faults})
		}
	}
	return append(policies, m.policies(name)...), nil
}

const documentType = "aws_ecr_lifecycle_policy_document"

// attributes has the attribute with the policy for types of resources, and for the module
// terraform-aws-modules/ecr and its submodule repository-template.
var attributes = map[string]string{
	"aws_ecr_lifecycle_policy":               "policy",
	"aws_ecr_repository_creation_template":   "lifecycle_policy",
	"awscc_ecr_repository":                   "lifecycle_policy",
	"awscc_ecr_repository_creation_template": "lifecycle_policy",
	"module":                                 "repository_lifecycle_policy",
	"module.repository-template":             "lifecycle_policy",
}

var blocks = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "locals"},
}}

// add adds a file, or returns its problems.
func (m *module) add(name string, content []byte) jsondoc.Problems {
	m.texts[name] = content
	if deep(content) {
		return jsondoc.Refusal("has too many brackets or operators; move the resource that has the policy to a file of its own")
	}
	parse := func() (*hcl.File, hcl.Diagnostics) { return hclsyntax.ParseConfig(content, name, hcl.InitialPos) }
	if strings.HasSuffix(name, ".json") {
		parse = func() (*hcl.File, hcl.Diagnostics) { return json.Parse(content, name) }
	}
	file, faults := parse()
	if faults.HasErrors() {
		return problems(faults)
	}
	found, _, faults := file.Body.PartialContent(blocks)
	if faults.HasErrors() {
		return problems(faults)
	}
	for _, b := range found.Blocks {
		switch b.Type {
		case "resource":
			m.addPolicy(b, strings.Join(b.Labels, "."), attributes[b.Labels[0]])
		case "module":
			m.addPolicy(b, "module."+b.Labels[0], attributes["module"])
			if source := attribute(b, "source"); source != nil && submodule(source.Expr) {
				m.addPolicy(b, "module."+b.Labels[0], attributes["module.repository-template"])
			}
		case "locals":
			m.addLocals(b)
		default:
			if b.Labels[0] == documentType {
				m.documents = append(m.documents, &document{name: b.Labels[1], block: b})
			}
		}
	}
	return nil
}

// deep reports whether a text has so many brackets or operators that the parser, which is
// recursive, could end the program.
func deep(content []byte) bool {
	const most = 50_000
	n := 0
	for _, b := range content {
		if strings.IndexByte("([{-+*/%!?&|<>=", b) >= 0 {
			n++
		}
	}
	return n > most
}

// attribute returns an attribute of a block, or nil.
func attribute(b *hcl.Block, name string) *hcl.Attribute {
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: name}}})
	return content.Attributes[name]
}

func submodule(source hcl.Expression) bool {
	v, ok := constant(source)
	return ok && v.Type() == cty.String && strings.Contains(v.AsString(), "/modules/repository-template")
}

func (m *module) addPolicy(b *hcl.Block, address, name string) {
	a := attribute(b, name)
	if a == nil {
		return
	}
	if v, faults := a.Expr.Value(nil); faults.HasErrors() || !v.IsNull() { // null is no policy
		m.resources = append(m.resources, resource{address, a.Expr, a.NameRange})
	}
}

func (m *module) addLocals(b *hcl.Block) {
	attributes, _ := b.Body.JustAttributes()
	for name, a := range attributes {
		if _, again := m.locals[name]; again {
			a.Expr = nil
		}
		m.locals[name] = a.Expr
	}
}

// policies returns the policies in one file, or in all for "".
func (m *module) policies(file string) (policies []Policy) {
	add := func(r resource, write func(*literal) error) {
		l := literal{module: m, reference: r.name}
		err := write(&l) // it also finds the documents in use
		why, notRead := errors.AsType[*reason](err)
		switch {
		case file != "" && file != r.name.Filename:
		case notRead:
			policies = append(policies, why.policy(r.name.Filename, r.address, r.name.Start.Line, r.name.Start.Column))
		default:
			policies = append(policies, Policy{File: l.file, Address: r.address, Text: l.out, marks: l.marks})
		}
	}
	for _, r := range m.resources {
		add(r, func(l *literal) error { return l.text(r.value) })
	}
	for _, d := range m.documents {
		if !d.used {
			r := resource{address: "data." + documentType + "." + d.name, name: d.block.DefRange}
			add(r, func(l *literal) error { return l.document(d.block) })
		}
	}
	return policies
}

// problems returns the errors of the parser.
func problems(faults hcl.Diagnostics) (found jsondoc.Problems) {
	for _, f := range faults {
		if f.Severity == hcl.DiagError && f.Subject != nil && len(found) < jsondoc.MaxProblems {
			found = append(found, jsondoc.Problem{
				Line: f.Subject.Start.Line, Column: f.Subject.Start.Column,
				Message: "is not valid Terraform: " + strings.Join(strings.Fields(f.Summary+": "+f.Detail), " "),
			})
		}
	}
	if found == nil {
		return jsondoc.Refusal("is not valid Terraform: %v", faults)
	}
	return found
}

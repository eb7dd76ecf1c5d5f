package source

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A module has the blocks of a Terraform module that can have a policy.
type module struct {
	folder    string
	read      Reader
	resources []*resource
	documents []*resource       // data sources aws_ecr_lifecycle_policy_document
	texts     map[string][]byte // by file name
}

// A resource has a policy in an attribute or, if it is a document, in its body.
type resource struct {
	address string
	place   hcl.Range            // of the attribute's name, or of the document
	value   hclsyntax.Expression // of the attribute
	body    *hclsyntax.Body      // of a document
	used    bool                 // of a document: by a resource, which is checked with it
}

// terraform returns the policies in one file of a folder, or in all for "". Documents may be
// in any file.
func terraform(folder, name string, read Reader) ([]Policy, error) {
	m := &module{folder: folder, read: read, texts: map[string][]byte{}}
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
		case strings.HasSuffix(file, ".json") && bytes.Contains(content, []byte("lifecycle_policy")):
			why := jsondoc.Refusal("not read: is Terraform in JSON; write the resource that has the policy in a .tf file")
			policies = append(policies, Policy{File: file, NotRead: true, Problems: why})
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
}}

// add adds a file, or returns its problems.
func (m *module) add(name string, content []byte) jsondoc.Problems {
	if strings.HasSuffix(name, ".json") {
		return nil
	}
	m.texts[name] = content
	if deep(content) {
		return jsondoc.Refusal("has too many brackets or operators; move the resource that has the policy to a file of its own")
	}
	file, faults := hclsyntax.ParseConfig(content, name, hcl.InitialPos)
	if faults.HasErrors() {
		return problems(faults)
	}
	found, _, faults := file.Body.PartialContent(blocks)
	if faults.HasErrors() {
		return problems(faults)
	}
	for _, b := range found.Blocks {
		body := b.Body.(*hclsyntax.Body) // of the native syntax
		switch b.Type {
		case "resource":
			m.addPolicy(body, strings.Join(b.Labels, "."), attributes[b.Labels[0]])
		case "module":
			m.addPolicy(body, "module."+b.Labels[0], attributes["module"])
			if source := body.Attributes["source"]; source != nil && submodule(source.Expr) {
				m.addPolicy(body, "module."+b.Labels[0], attributes["module.repository-template"])
			}
		case "data":
			if b.Labels[0] == documentType {
				m.documents = append(m.documents, &resource{address: "data." + strings.Join(b.Labels, "."), place: b.DefRange, body: body})
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

func submodule(source hclsyntax.Expression) bool {
	v, ok := constant(source)
	return ok && v.Type() == cty.String && strings.Contains(v.AsString(), "/modules/repository-template")
}

func (m *module) addPolicy(body *hclsyntax.Body, address, name string) {
	a := body.Attributes[name]
	if a == nil {
		return
	}
	if v, faults := a.Expr.Value(nil); faults.HasErrors() || !v.IsNull() { // null is no policy
		m.resources = append(m.resources, &resource{address: address, place: a.NameRange, value: a.Expr})
	}
}

// policies returns the policies in one file, or in all for "".
func (m *module) policies(file string) (policies []Policy) {
	for _, r := range slices.Concat(m.resources, m.documents) {
		if r.used {
			continue
		}
		l := literal{module: m, file: r.place.Filename}
		var err error
		if r.body != nil {
			err = l.document(r)
		} else {
			err = l.text(r.value) // it also finds the documents in use
		}
		why, notRead := errors.AsType[*reason](err)
		switch {
		case file != "" && file != r.place.Filename:
		case notRead:
			policies = append(policies, why.policy(r.place.Filename, r.address, r.place.Start.Line, r.place.Start.Column))
		default:
			policies = append(policies, Policy{File: l.file, Address: r.address, Spelling: l.Spelling})
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

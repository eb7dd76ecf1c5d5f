package source

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// document writes the policy of a data source aws_ecr_lifecycle_policy_document. As the
// provider does, it leaves out empty values, and the default action is expire.
func (l *literal) document(d *resource) error {
	l.file = d.place.Filename
	l.write(d.place, `{"rules":[`)
	for _, rule := range d.body.Blocks {
		if len(rule.Labels) > 0 {
			return notRead("a "+rule.Type+" block", rule.DefRange())
		}
		if rule.Type != "rule" {
			continue
		}
		l.separate()
		if err := l.rule(rule); err != nil {
			return err
		}
	}
	l.write(d.place, "]}")
	return nil
}

func (l *literal) rule(rule *hclsyntax.Block) error {
	l.write(rule.DefRange(), "{")
	if err := l.attributes(rule.Body); err != nil {
		return err
	}
	action := false
	for _, part := range rule.Body.Blocks {
		if len(part.Labels) > 0 {
			return notRead("a "+part.Type+" block", part.DefRange())
		}
		action = action || part.Type == "action"
		l.key(part.Type, part.DefRange())
		l.write(part.DefRange(), "{")
		if err := l.attributes(part.Body); err != nil {
			return err
		}
		l.write(part.DefRange(), "}")
	}
	if !action {
		l.key("action", rule.DefRange())
		l.write(rule.DefRange(), `{"type":"expire"}`)
	}
	l.write(rule.DefRange(), "}")
	return nil
}

// attributes writes the attributes of a block as members of an object, in their order.
func (l *literal) attributes(body *hclsyntax.Body) error {
	ordered := slices.SortedFunc(maps.Values(body.Attributes), func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.SrcRange.Start.Byte, b.SrcRange.Start.Byte)
	})
	for _, a := range ordered {
		v, faults := a.Expr.Value(nil)
		if !faults.HasErrors() && (v.IsNull() || v.CanIterateElements() && v.LengthInt() == 0) {
			continue
		}
		l.key(memberName(a.Name), a.NameRange)
		if v, ok := constant(a.Expr); ok && isNumber[a.Name] {
			if n, err := convert.Convert(v, cty.Number); err == nil { // of a string, as Terraform does
				l.known(n, a.Expr.Range())
				continue
			}
		}
		if err := l.value(a.Expr); err != nil {
			return err
		}
	}
	return nil
}

var isNumber = map[string]bool{"priority": true, "count_number": true}

// memberName returns the member of a policy for the name of an attribute.
func memberName(attribute string) string {
	if attribute == "priority" {
		return "rulePriority"
	}
	words := strings.Split(attribute, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// documentOf returns the document of data.aws_ecr_lifecycle_policy_document.NAME.json, with
// or without an index. It is nil if the files do not have it exactly once.
func (m *module) documentOf(t hcl.Traversal) *resource {
	names := steps(t)
	if len(names) < 4 || names[len(names)-1] != "json" {
		return nil
	}
	is := func(d *resource) bool { return d.address == strings.Join(names[:3], ".") }
	first := slices.IndexFunc(m.documents, is)
	if first < 0 || slices.ContainsFunc(m.documents[first+1:], is) {
		return nil
	}
	return m.documents[first]
}

// steps returns the names and the indexes of a traversal.
func steps(t hcl.Traversal) []string {
	var names []string
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, s.Name)
		case hcl.TraverseAttr:
			names = append(names, s.Name)
		case hcl.TraverseIndex:
			names = append(names, "[]")
		}
	}
	return names
}

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
func (l *literal) document(b *hcl.Block) error {
	rules, _, err := content(b, "rule")
	if err != nil {
		return err
	}
	l.write(b.DefRange, `{"rules":[`)
	for i, rule := range rules {
		l.separate(i)
		if err := l.rule(rule); err != nil {
			return err
		}
	}
	l.write(b.DefRange, "]}")
	return nil
}

func (l *literal) rule(rule *hcl.Block) error {
	parts, body, err := content(rule, "selection", "action")
	if err != nil {
		return err
	}
	l.write(rule.DefRange, "{")
	written, err := l.attributes(body)
	if err != nil {
		return err
	}
	for i, part := range parts {
		l.key(written+i, part.Type, part.DefRange)
		l.write(part.DefRange, "{")
		if _, err := l.attributes(part.Body); err != nil {
			return err
		}
		l.write(part.DefRange, "}")
	}
	if !slices.ContainsFunc(parts, func(b *hcl.Block) bool { return b.Type == "action" }) {
		l.key(written+len(parts), "action", rule.DefRange)
		l.write(rule.DefRange, `{"type":"expire"}`)
	}
	l.write(rule.DefRange, "}")
	return nil
}

// content returns the inner blocks of these types, and the rest of the block. There must be
// no dynamic block.
func content(b *hcl.Block, types ...string) (hcl.Blocks, hcl.Body, error) {
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "dynamic", LabelNames: []string{"type"}}}}
	for _, t := range types {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: t})
	}
	found, rest, faults := b.Body.PartialContent(schema)
	if faults.HasErrors() {
		return nil, nil, notRead("a block that is not valid", b.DefRange)
	}
	for _, inner := range found.Blocks {
		if inner.Type == "dynamic" {
			return nil, nil, notRead("a dynamic block", inner.DefRange)
		}
	}
	return found.Blocks, rest, nil
}

// attributes writes the attributes of a block as members of an object, in their order, and
// returns their number.
func (l *literal) attributes(body hcl.Body) (int, error) {
	all, _ := body.JustAttributes() // its error is about the inner blocks
	ordered := slices.SortedFunc(maps.Values(all), func(a, b *hcl.Attribute) int {
		return cmp.Compare(a.Range.Start.Byte, b.Range.Start.Byte)
	})
	ordered = slices.DeleteFunc(ordered, func(a *hcl.Attribute) bool {
		v, faults := a.Expr.Value(nil)
		return !faults.HasErrors() && (v.IsNull() || v.CanIterateElements() && v.LengthInt() == 0)
	})
	for i, a := range ordered {
		l.key(i, memberName(a.Name), a.NameRange)
		if v, ok := constant(a.Expr); ok && isNumber[a.Name] {
			if n, err := convert.Convert(v, cty.Number); err == nil { // of a string, as Terraform does
				l.known(n, a.Expr.Range())
				continue
			}
		}
		if err := l.value(a.Expr); err != nil {
			return 0, err
		}
	}
	return len(ordered), nil
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

// local returns the expression of local.NAME, or of a member of an object there. It is nil
// if the files do not have it.
func (m *module) local(t hcl.Traversal) hclsyntax.Expression {
	names := steps(t)
	if len(names) < 2 || names[0] != "local" {
		return nil
	}
	e, _ := m.locals[names[1]].(hclsyntax.Expression)
	for _, name := range names[2:] {
		object, ok := e.(*hclsyntax.ObjectConsExpr)
		if !ok {
			return nil
		}
		e = item(object, name)
	}
	return e
}

// documentOf returns the document of data.aws_ecr_lifecycle_policy_document.NAME.json, with
// or without an index. It is nil if the files do not have it exactly once.
func (m *module) documentOf(t hcl.Traversal) (found *document) {
	names := steps(t)
	if len(names) < 4 || names[0] != "data" || names[1] != documentType || names[len(names)-1] != "json" {
		return nil
	}
	for _, d := range m.documents {
		switch {
		case d.name != names[2]:
		case found != nil:
			return nil
		default:
			found = d
		}
	}
	return found
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

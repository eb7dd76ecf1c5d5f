package source

import (
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/place"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A literal writes the policy that an expression of literals has. Its errors are reasons.
type literal struct {
	module *module
	file   string // that has the text
	place.Spelling
}

// text writes the policy that an expression returns as a string.
func (l *literal) text(e hclsyntax.Expression) error {
	switch e := unwrapped(e).(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			if hcl.ExprAsKeyword(item.KeyExpr) == "lifecycle_policy_text" { // of awscc_ecr_repository
				return l.text(item.ValueExpr)
			}
		}
	case *hclsyntax.FunctionCallExpr:
		switch {
		case e.Name == "jsonencode" && len(e.Args) == 1:
			return l.value(e.Args[0])
		case e.Name == "file" && len(e.Args) == 1:
			return l.included(e.Args[0])
		}
	case *hclsyntax.ScopeTraversalExpr:
		if d := l.module.documentOf(e.Traversal); d != nil {
			d.used = true
			return l.document(d)
		}
	case *hclsyntax.TemplateExpr:
		if text, ok := constant(e); ok {
			r := e.Range()
			source := l.module.texts[r.Filename][r.Start.Byte:]
			l.Spelling = place.Find(text.AsString(), source, begin(r), source[0] == '"')
			return nil
		}
	}
	return notLiteral(e)
}

// unwrapped returns an expression without parentheses and "${…}".
func unwrapped(e hclsyntax.Expression) hclsyntax.Expression {
	switch outer := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return unwrapped(outer.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return unwrapped(outer.Wrapped)
	}
	return e
}

// constant returns the value of an expression without variables and functions.
func constant(e hclsyntax.Expression) (cty.Value, bool) {
	if _, conditional := e.(*hclsyntax.ConditionalExpr); conditional || len(e.Variables()) > 0 {
		return cty.NilVal, false
	}
	v, faults := e.Value(nil)
	return v, !faults.HasErrors() && v.IsWhollyKnown() && !v.IsNull()
}

// value writes the JSON text of an expression.
func (l *literal) value(e hclsyntax.Expression) error {
	switch e := unwrapped(e).(type) {
	case *hclsyntax.ObjectConsExpr:
		return l.object(e)
	case *hclsyntax.TupleConsExpr:
		return l.tuple(e)
	case *hclsyntax.LiteralValueExpr:
		l.known(e.Val, e.SrcRange) // it may be null
		return nil
	}
	v, ok := constant(e)
	if !ok {
		return notLiteral(e)
	}
	l.known(v, e.Range())
	return nil
}

// known writes a known value.
func (l *literal) known(v cty.Value, r hcl.Range) {
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil { // of no value that a literal has
		text = []byte("null")
	}
	l.write(r, string(text))
}

func (l *literal) object(e *hclsyntax.ObjectConsExpr) error {
	l.write(e.SrcRange, "{")
	for _, item := range e.Items {
		key, ok := constant(item.KeyExpr)
		if !ok || key.Type() != cty.String {
			return notLiteral(item.KeyExpr)
		}
		l.key(key.AsString(), item.KeyExpr.Range())
		if err := l.value(item.ValueExpr); err != nil {
			return err
		}
	}
	l.write(e.SrcRange, "}")
	return nil
}

func (l *literal) tuple(e *hclsyntax.TupleConsExpr) error {
	l.write(e.SrcRange, "[")
	for _, item := range e.Exprs {
		l.separate()
		if err := l.value(item); err != nil {
			return err
		}
	}
	l.write(e.SrcRange, "]")
	return nil
}

// included writes the policy in the file that file() names. The path is a literal, and may
// have ${path.module}.
func (l *literal) included(e hclsyntax.Expression) error {
	folder := cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(".")})
	path, faults := e.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"path": folder}})
	if faults.HasErrors() || path.IsNull() || path.Type() != cty.String {
		return notLiteral(e)
	}
	name := path.AsString()
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.module.folder, name)
	}
	content, err := l.module.read(name)
	if err != nil {
		return notRead(name+", which cannot be read", e.Range())
	}
	l.file, l.Spelling = name, place.Spelling{Text: content}
	return nil
}

func begin(r hcl.Range) place.Mark { return place.Mark{Line: r.Start.Line, Column: r.Start.Column} }

// write writes a text that has the place of the range.
func (l *literal) write(r hcl.Range, text string) { l.Write(begin(r), text) }

// key writes the name of a member of an object.
func (l *literal) key(name string, r hcl.Range) {
	l.separate()
	l.write(r, string(jsondoc.AppendString(nil, name))+":")
}

// separate writes a comma before an item or member, except the first one.
func (l *literal) separate() {
	if last := l.Text[len(l.Text)-1]; last != '{' && last != '[' {
		l.Text = append(l.Text, ',')
	}
}

func notRead(what string, r hcl.Range) error { return &reason{what, r.Filename, r.Start.Line} }

// notLiteral names the reference or function of an expression that is not a literal.
func notLiteral(e hclsyntax.Expression) error {
	for _, reference := range e.Variables() {
		names := steps(reference)
		name := strings.Join(names[:min(len(names), 3)], ".")
		if name != "path.module" { // a function with it is the reason
			return notRead(strings.TrimSuffix(name, ".[]"), reference.SourceRange())
		}
	}
	err := notRead("an expression that is not a literal", e.Range())
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name != "jsonencode" {
			err = notRead(call.Name+"()", call.NameRange)
		}
		return nil
	})
	return err
}

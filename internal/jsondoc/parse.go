package jsondoc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// MaxProblems is how many errors, and how many warnings, of a document are told
// one by one.
const MaxProblems = 100

// MaxDepth is how deeply arrays and objects may be nested. No document of this
// product needs more than ten.
const MaxDepth = 64

// A Document is a parsed JSON text together with the problems found in it.
type Document struct {
	text   []byte
	root   *Value
	faults []fault
	// errors and warnings count all that were found, told or not.
	errors, warnings int
}

// A fault is a problem whose line and column are not worked out yet.
type fault struct {
	offset  int
	problem Problem
}

// Parse reads one JSON text. It always returns a document. When the text is
// not JSON, or is nested too deeply, the document has one problem and no root.
// Repeated members are problems. Which of them is meant is unknown: of arrays
// and objects the first is read on, any other value counts as unreadable. The
// document keeps the text, which must not be modified afterwards.
func Parse(text []byte) *Document {
	d := &Document{text: text}
	if offset, msg := syntaxFault(text); msg != "" {
		d.record("", offset, false, msg)
		return d
	}
	p := parser{doc: d, dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	root := &Value{doc: d}
	p.value(root, 1)
	if p.tooDeep != nil {
		d.faults = nil
		p.tooDeep.Problem("is nested more than %d levels deep", MaxDepth)
		return d
	}
	d.root = root
	return d
}

// Root returns the outermost value, or nil when the text is not JSON.
func (d *Document) Root() *Value { return d.root }

// Text returns the text from which the document was parsed.
func (d *Document) Text() []byte { return d.text }

// Problems returns the problems recorded so far, ordered by place.
func (d *Document) Problems() Problems {
	slices.SortStableFunc(d.faults, func(a, b fault) int { return cmp.Compare(a.offset, b.offset) })
	ps := make(Problems, len(d.faults))
	line, column, done := 1, 1, 0
	for i, f := range d.faults {
		between := d.text[done:f.offset]
		if newline := bytes.LastIndexByte(between, '\n'); newline >= 0 {
			line += bytes.Count(between, []byte{'\n'})
			column, between = 1, between[newline+1:]
		}
		column += utf8.RuneCount(between)
		done = f.offset
		ps[i] = f.problem
		ps[i].Line, ps[i].Column = line, column
	}
	if more := d.errors - MaxProblems; more > 0 {
		ps = append(ps, Problem{Line: line, Column: column, Message: fmt.Sprintf("and %d more problems", more)})
	}
	return ps
}

// record keeps the first problems of each kind and counts the others: nobody
// mends more at a time, and a hostile document must not fill the memory.
func (d *Document) record(path string, offset int, warning bool, msg string) {
	told := &d.errors
	if warning {
		told = &d.warnings
	}
	if *told++; *told > MaxProblems {
		return
	}
	d.faults = append(d.faults, fault{offset, Problem{Path: path, Warning: warning, Message: msg}})
}

// A parser turns the tokens of valid JSON into values that know their place.
type parser struct {
	doc *Document
	dec *json.Decoder
	// tooDeep is the first value beyond MaxDepth, or nil.
	tooDeep *Value
}

// next returns the next token and the offset at which it begins. The text is
// known to be valid, so that there is one and it is whole.
func (p *parser) next() (json.Token, int) {
	start := int(p.dec.InputOffset())
	for bytes.IndexByte([]byte(" \t\r\n,:"), p.doc.text[start]) >= 0 {
		start++
	}
	token, _ := p.dec.Token()
	return token, start
}

// more reports whether the open array or object has another element and
// nesting is still within bounds.
func (p *parser) more() bool { return p.tooDeep == nil && p.dec.More() }

// value reads the next value into v, whose place in the tree is known.
func (p *parser) value(v *Value, depth int) {
	token, start := p.next()
	v.offset = start
	switch t := token.(type) {
	case json.Delim:
		p.container(v, t, depth)
	case string:
		v.kind, v.text = kindString, t
	case json.Number:
		v.kind, v.text = kindNumber, t.String()
	case bool:
		v.kind, v.truth = kindBool, t
	}
	v.end = int(p.dec.InputOffset())
}

func (p *parser) container(v *Value, open json.Delim, depth int) {
	switch {
	case depth > MaxDepth:
		p.tooDeep = v
		return
	case open == '[':
		p.array(v, depth)
	default:
		p.object(v, depth)
	}
	if p.tooDeep == nil {
		p.next() // the closing delimiter
	}
}

func (p *parser) array(v *Value, depth int) {
	v.kind = kindArray
	for p.more() {
		item := &Value{doc: p.doc, parent: v, index: len(v.items)}
		v.items = append(v.items, item)
		p.value(item, depth+1)
	}
}

func (p *parser) object(v *Value, depth int) {
	v.kind, v.members = kindObject, map[string]*Value{}
	for p.more() {
		token, start := p.next()
		name, _ := token.(string)
		member := &Value{doc: p.doc, parent: v, name: name}
		p.value(member, depth+1)
		if first, repeated := v.members[name]; repeated {
			p.doc.record(member.Path(), start, false, "is given twice; keep one")
			first.ambiguous = first.kind < kindArray
			continue
		}
		v.names = append(v.names, memberName{name, start})
		v.members[name] = member
	}
}

// Package jsondoc reads the JSON documents that people write: lifecycle policies,
// configurations and requests. It is stricter than encoding/json: unknown and repeated
// members, members that differ only in case, and null are problems. It reports all
// problems of a document at once, each with its path, line and column.
//
// Package jsondoc also writes JSON text that is safe to show in a terminal.
package jsondoc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// MaxProblems is how many errors, and how many warnings, a document reports. More are
// only counted.
const MaxProblems = 100

// MaxDepth is how deeply arrays and objects may be nested. Policies and configurations
// need less than ten levels.
const MaxDepth = 64

// A Document is a parsed JSON text and its problems.
type Document struct {
	text   []byte
	root   *Value
	faults []fault

	errors, warnings int // the numbers of all problems, also those that are not in faults
}

// A fault is a problem without line and column.
type fault struct {
	offset  int
	problem Problem
}

// Parse reads one JSON text, which you must not modify afterwards. If the text is not JSON,
// or is nested too deeply, the document has one problem and no root. A member that is given
// again is a problem: an array or object is then still read, any other value is not.
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

// Root returns the outermost value, or nil if the text is not JSON.
func (d *Document) Root() *Value { return d.root }

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

// record keeps the first MaxProblems errors and warnings and counts the others, so that
// a malicious document cannot fill the memory. A value may be read twice; a problem counts once.
func (d *Document) record(path string, offset int, warning bool, msg string) {
	f := fault{offset, Problem{Path: path, Warning: warning, Message: msg}}
	if slices.Contains(d.faults, f) {
		return
	}
	count := &d.errors
	if warning {
		count = &d.warnings
	}
	if *count++; *count <= MaxProblems {
		d.faults = append(d.faults, f)
	}
}

// A parser makes values with their places from the tokens of valid JSON.
type parser struct {
	doc *Document
	dec *json.Decoder
	// tooDeep is the first value beyond MaxDepth, or nil.
	tooDeep *Value
}

// next returns the next token and its offset. There is one, because the text is valid.
func (p *parser) next() (json.Token, int) {
	start := int(p.dec.InputOffset())
	for bytes.IndexByte([]byte(" \t\r\n,:"), p.doc.text[start]) >= 0 {
		start++
	}
	token, _ := p.dec.Token()
	return token, start
}

func (p *parser) more() bool { return p.tooDeep == nil && p.dec.More() }

// value reads the next value into v.
func (p *parser) value(v *Value, depth int) {
	token, start := p.next()
	v.offset = start
	switch t := token.(type) {
	case json.Delim:
		switch {
		case depth > MaxDepth:
			p.tooDeep = v
		case t == '[':
			p.array(v, depth)
		default:
			p.object(v, depth)
		}
		if p.tooDeep == nil {
			p.next() // the closing delimiter
		}
	case string:
		v.kind, v.text = kindString, t
	case json.Number:
		v.kind, v.text = kindNumber, t.String()
	case bool:
		v.kind, v.truth = kindBool, t
	}
	v.end = int(p.dec.InputOffset())
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

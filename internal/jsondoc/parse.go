package jsondoc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// MaxDepth is how deeply arrays and objects may be nested. No document of this
// product needs more than ten.
const MaxDepth = 64

// A Document is a parsed JSON text together with the problems found in it.
type Document struct {
	text   []byte
	root   *Value
	faults []fault
}

// A fault is a problem whose line and column are not worked out yet.
type fault struct {
	offset  int
	problem Problem
}

// Parse reads one JSON text. It always returns a document: when the text is
// not JSON the document has one problem and no root; repeated members are
// problems, and the first of them counts.
func Parse(text []byte) *Document {
	d := &Document{text: text}
	if err := check(text); err != nil {
		d.syntax(err)
		return d
	}
	p := parser{doc: d, dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	root := p.value("", 1)
	if !p.tooDeep {
		d.root = root
	}
	return d
}

// Root returns the outermost value, or nil when the text is not JSON.
func (d *Document) Root() *Value { return d.root }

// Problems returns the problems recorded so far, ordered by place.
func (d *Document) Problems() Problems {
	slices.SortStableFunc(d.faults, func(a, b fault) int { return cmp.Compare(a.offset, b.offset) })
	ps := make(Problems, len(d.faults))
	line, lineStart, done := 1, 0, 0
	for i, f := range d.faults {
		for ; done < f.offset; done++ {
			if d.text[done] == '\n' {
				line, lineStart = line+1, done+1
			}
		}
		ps[i] = f.problem
		ps[i].Line, ps[i].Column = line, 1+utf8.RuneCount(d.text[lineStart:f.offset])
	}
	return ps
}

// Text returns the text from which the document was parsed.
func (d *Document) Text() []byte { return d.text }

// A syntaxError is a fault of the text as JSON, with its byte offset.
type syntaxError struct {
	offset int
	msg    string
}

func (e *syntaxError) Error() string { return e.msg }

// check reports the first fault of text as JSON. The decoder below then works
// on text that is known to be whole.
func check(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return &syntaxError{len(text), "is empty; a JSON object is expected"}
	}
	if !utf8.Valid(text) {
		return &syntaxError{invalidUTF8(text), "is not UTF-8; save the file as UTF-8"}
	}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		return &syntaxError{0, "begins with a byte order mark; save the file as UTF-8 without one"}
	}
	var raw json.RawMessage
	err := json.Unmarshal(text, &raw)
	if err == nil {
		return nil
	}
	if se, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset := int(se.Offset) - 1
		if se.Error() == "unexpected end of JSON input" {
			return &syntaxError{len(text), "ends too early: the JSON is cut short"}
		}
		return &syntaxError{max(offset, 0), "is not JSON: " + se.Error()}
	}
	return &syntaxError{0, "is not JSON: " + err.Error()}
}

func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}

func (d *Document) syntax(err error) {
	offset := 0
	if se, ok := errors.AsType[*syntaxError](err); ok {
		offset = se.offset
	}
	d.record("", offset, false, err.Error())
}

func (d *Document) record(path string, offset int, warning bool, msg string) {
	offset = min(offset, len(d.text))
	d.faults = append(d.faults, fault{offset, Problem{Path: path, Warning: warning, Message: msg}})
}

// A parser turns the tokens of valid JSON into values that know their place.
type parser struct {
	doc     *Document
	dec     *json.Decoder
	tooDeep bool
}

// next returns the next token and the offset at which it begins.
func (p *parser) next() (json.Token, int) {
	start := int(p.dec.InputOffset())
	for start < len(p.doc.text) && bytes.IndexByte([]byte(" \t\r\n,:"), p.doc.text[start]) >= 0 {
		start++
	}
	token, err := p.dec.Token()
	if err != nil && !errors.Is(err, io.EOF) { // check has seen to it
		token = nil
	}
	return token, start
}

func (p *parser) value(path string, depth int) *Value {
	token, start := p.next()
	v := &Value{doc: p.doc, path: path, offset: start}
	switch t := token.(type) {
	case json.Delim:
		if depth > MaxDepth {
			p.skip(t, v)
			return v
		}
		if t == '[' {
			p.array(v, depth)
		} else {
			p.object(v, depth)
		}
	case string:
		v.kind, v.text = kindString, t
	case json.Number:
		v.kind, v.text = kindNumber, t.String()
	case bool:
		v.kind, v.truth = kindBool, t
	default:
		v.kind = kindNull
	}
	return v
}

// skip passes over a value that is nested too deeply and says so once.
func (p *parser) skip(open json.Delim, v *Value) {
	v.kind = kindNull
	if !p.tooDeep {
		v.Problem("is nested more than %d levels deep", MaxDepth)
	}
	p.tooDeep = true
	for level := 1; level > 0; {
		switch token, _ := p.next(); token {
		case json.Delim('['), json.Delim('{'):
			level++
		case json.Delim(']'), json.Delim('}'):
			level--
		}
	}
}

func (p *parser) array(v *Value, depth int) {
	v.kind = kindArray
	for p.dec.More() {
		v.items = append(v.items, p.value(fmt.Sprintf("%s[%d]", v.path, len(v.items)), depth+1))
	}
	p.next()
}

func (p *parser) object(v *Value, depth int) {
	v.kind, v.members = kindObject, map[string]*Value{}
	for p.dec.More() {
		token, start := p.next()
		name, _ := token.(string)
		path := memberPath(v.path, name)
		member := p.value(path, depth+1)
		if _, repeated := v.members[name]; repeated {
			p.doc.record(path, start, false, "is given twice; keep one")
			continue
		}
		v.names = append(v.names, memberName{name, start})
		v.members[name] = member
	}
	p.next()
}

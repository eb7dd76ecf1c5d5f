package jsondoc

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
)

type kind int

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

var kindNames = [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}

// A Value is one JSON value and its place in the document. Its accessors return false and
// record a problem if the value is of another kind. A nil Value is an absent member: its
// accessors return false and record nothing. The same applies to a value that the
// document gives twice, which is a problem already.
type Value struct {
	doc    *Document
	parent *Value
	name   string // in a parent that is an object
	index  int    // in a parent that is an array
	// The text of the value is text[offset:end] of the document.
	offset, end int
	// ambiguous is true if the document gives the key again.
	ambiguous bool

	kind    kind
	text    string // of a string or a number
	truth   bool
	items   []*Value
	names   []memberName // in the order of the text
	members map[string]*Value
}

type memberName struct {
	name   string
	offset int
}

// Path returns the path of the value in the document, such as rules[2].selection. It is
// empty for the outermost value.
func (v *Value) Path() string {
	switch {
	case v.parent == nil:
		return ""
	case v.parent.kind == kindArray:
		return v.parent.Path() + "[" + strconv.Itoa(v.index) + "]"
	}
	return memberPath(v.parent.Path(), v.name)
}

// Problem records that something is wrong with the value.
func (v *Value) Problem(format string, args ...any) {
	v.doc.record(v.Path(), v.offset, false, fmt.Sprintf(format, args...))
}

// Warn records that the value is valid but probably a mistake.
func (v *Value) Warn(format string, args ...any) {
	v.doc.record(v.Path(), v.offset, true, fmt.Sprintf(format, args...))
}

// Faulty reports whether the value, or a value inside it, has a problem that is not a
// warning. It is false for nil.
func (v *Value) Faulty() bool {
	return v != nil && slices.ContainsFunc(v.doc.faults, func(f fault) bool {
		return !f.problem.Warning && v.offset <= f.offset && f.offset < v.end
	})
}

func (v *Value) is(want kind) bool {
	if v.has(want) {
		return true
	}
	if v == nil || v.ambiguous {
		return false
	}
	v.Problem("must be %s, is %s%s", kindNames[want], kindNames[v.kind], v.nullHint())
	return false
}

func (v *Value) nullHint() string {
	switch {
	case v.kind != kindNull || v.parent == nil:
		return ""
	case v.parent.kind == kindArray:
		return "; leave the entry out instead"
	}
	return "; leave the key out instead"
}

// IsNull reports whether the value is null. It records nothing.
func (v *Value) IsNull() bool { return v.has(kindNull) }

// IsString reports whether the value is a string. It records nothing.
func (v *Value) IsString() bool { return v.has(kindString) }

// IsObject reports whether the value is an object. It records nothing.
func (v *Value) IsObject() bool { return v.has(kindObject) }

func (v *Value) has(k kind) bool { return v != nil && !v.ambiguous && v.kind == k }

// String returns the value of a string.
func (v *Value) String() (string, bool) {
	if !v.is(kindString) {
		return "", false
	}
	return v.text, true
}

// OneOf returns the value of a string that must be one of the allowed ones. It returns
// "" and false for any other value.
func OneOf[T ~string](v *Value, allowed ...T) (T, bool) {
	s, ok := v.String()
	if !ok || slices.Contains(allowed, T(s)) {
		return T(s), ok
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	v.Problem("%s is not known: use %s%s", Quote(s), list(names), caseHint(s, names))
	return "", false
}

// Bool returns the value of a boolean.
func (v *Value) Bool() (value, ok bool) {
	if !v.is(kindBool) {
		return false, false
	}
	return v.truth, true
}

// Int returns the value of a number that is an integer from low to high. 10.0 and 1e1 are
// 10.
func (v *Value) Int(low, high int) (int, bool) {
	if !v.is(kindNumber) {
		return 0, false
	}
	number, _ := decimal.Parse(v.text)
	n, ok := number.Int()
	if !ok || n < int64(low) || n > int64(high) {
		what := "an integer "
		if number.Plain() {
			what = ""
		}
		v.Problem("must be %sfrom %d to %d, is %s", what, low, high, clip(v.text))
		return 0, false
	}
	return int(n), true
}

// PlainInt is Int for a number that must be written without fraction and exponent.
func (v *Value) PlainInt(low, high int) (int, bool) {
	var number decimal.Number
	if v.has(kindNumber) {
		number, _ = decimal.Parse(v.text)
	}
	if !v.has(kindNumber) || number.Plain() {
		return v.Int(low, high)
	}
	hint := ""
	if n, integer := number.Int(); integer {
		hint = fmt.Sprintf("; write %d", n)
	}
	v.Problem("must be an integer without fraction or exponent, is %s%s", clip(v.text), hint)
	return 0, false
}

// Array returns the elements of an array.
func (v *Value) Array() ([]*Value, bool) {
	if !v.is(kindArray) {
		return nil, false
	}
	return v.items, true
}

// Strings returns the elements of an array of strings, without elements of another kind.
// Each of those is a problem, and ok is then false.
func (v *Value) Strings() (values []string, ok bool) {
	items, ok := v.Array()
	values = make([]string, 0, len(items))
	for _, item := range items {
		s, isString := item.String()
		ok = ok && isString
		if isString {
			values = append(values, s)
		}
	}
	return values, ok
}

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
// accessors return false and record nothing, as for a value that the document gives twice.
type Value struct {
	doc    *Document
	parent *Value
	name   string // in a parent that is an object
	index  int    // in a parent that is an array

	offset, end int  // of the text in the document
	ambiguous   bool // the document gives the key again

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

// Path returns the path of the value, such as rules[2].selection, or "" for the outermost.
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

// OneOf returns the value of a string that must be one of the allowed ones.
func OneOf[T ~string](v *Value, allowed ...T) (T, bool) {
	s, ok := v.String()
	if !ok || slices.Contains(allowed, T(s)) {
		return T(s), ok
	}
	v.Problem("%s is not known: use %s%s", Quote(s), list(allowed), nameHint(s, allowed))
	return "", false
}

// Bool returns the value of a boolean.
func (v *Value) Bool() (value, ok bool) {
	if !v.is(kindBool) {
		return false, false
	}
	return v.truth, true
}

// Int returns the value of a number that is an integer from low to high, in any spelling.
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

// Float returns the value of a number from low to high.
func (v *Value) Float(low, high float64) (float64, bool) {
	if !v.is(kindNumber) {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil || f < low || f > high {
		v.Problem("must be from %v to %v, is %s", low, high, clip(v.text))
		return 0, false
	}
	return f, true
}

// PlainInt is Int for a number that must be written without fraction and exponent.
func (v *Value) PlainInt(low, high int) (int, bool) {
	if !v.has(kindNumber) {
		return v.Int(low, high)
	}
	number, _ := decimal.Parse(v.text)
	if number.Plain() {
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

// Strings returns the elements of an array of strings, without those of another kind.
func (v *Value) Strings() (values []string, ok bool) {
	items, ok := v.Array()
	values = []string{}
	for _, item := range items {
		if s, isString := item.String(); isString {
			values = append(values, s)
		} else {
			ok = false
		}
	}
	return values, ok
}

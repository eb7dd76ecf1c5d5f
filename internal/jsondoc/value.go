package jsondoc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// A Value is one JSON value and its place in the document. Its accessors
// return false and record a problem when the value is of another kind. They
// may be called on nil, which stands for a member that is absent; then they
// return false and record nothing.
type Value struct {
	doc    *Document
	path   string
	offset int

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

// Path returns the way from the document to the value.
func (v *Value) Path() string { return v.path }

// Problem records that something is wrong with the value.
func (v *Value) Problem(format string, args ...any) {
	v.doc.record(v.path, v.offset, false, fmt.Sprintf(format, args...))
}

// Warn records that the value is legal but most likely not meant.
func (v *Value) Warn(format string, args ...any) {
	v.doc.record(v.path, v.offset, true, fmt.Sprintf(format, args...))
}

func (v *Value) is(want kind) bool {
	if v == nil {
		return false
	}
	if v.kind == want {
		return true
	}
	hint := ""
	if v.kind == kindNull {
		hint = "; leave the key out instead"
	}
	v.Problem("must be %s, is %s%s", kindNames[want], kindNames[v.kind], hint)
	return false
}

// IsString reports whether the value is a string. It records nothing.
func (v *Value) IsString() bool { return v != nil && v.kind == kindString }

// IsObject reports whether the value is an object. It records nothing.
func (v *Value) IsObject() bool { return v != nil && v.kind == kindObject }

// String returns the value of a string.
func (v *Value) String() (string, bool) {
	if !v.is(kindString) {
		return "", false
	}
	return v.text, true
}

// OneOf returns the value of a string that is among the given ones.
func (v *Value) OneOf(allowed ...string) (string, bool) {
	s, ok := v.String()
	if !ok {
		return "", false
	}
	if !slices.Contains(allowed, s) {
		v.Problem("%s is not known: use %s%s", Quote(s), list(allowed), caseHint(s, allowed))
		return "", false
	}
	return s, true
}

// Bool returns the value of a boolean.
func (v *Value) Bool() (value, ok bool) {
	if !v.is(kindBool) {
		return false, false
	}
	return v.truth, true
}

// Int returns the value of a number written as an integer, from low to high.
func (v *Value) Int(low, high int) (int, bool) {
	if !v.is(kindNumber) {
		return 0, false
	}
	if strings.ContainsAny(v.text, ".eE") {
		v.Problem("must be an integer without fraction or exponent, is %s", clip(v.text))
		return 0, false
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil || n < int64(low) || n > int64(high) {
		v.Problem("must be from %d to %d, is %s", low, high, clip(v.text))
		return 0, false
	}
	return int(n), true
}

// Array returns the elements of an array.
func (v *Value) Array() ([]*Value, bool) {
	if !v.is(kindArray) {
		return nil, false
	}
	return v.items, true
}

// Strings returns the elements of an array of strings. An element of another
// kind is a problem and left out; ok is then false.
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

// Object checks that the value is an object whose members are all among the
// known ones.
func (v *Value) Object(known ...string) (Object, bool) {
	if !v.is(kindObject) {
		return Object{}, false
	}
	for _, m := range v.names {
		if !slices.Contains(known, m.name) {
			v.doc.record(v.members[m.name].path, m.offset, false,
				fmt.Sprintf("is not a known key: use %s%s", list(known), caseHint(m.name, known)))
		}
	}
	return Object{v}, true
}

// An Object gives access to the members of an object.
type Object struct{ value *Value }

// Get returns the member of that name, or nil when it is absent.
func (o Object) Get(name string) *Value { return o.value.members[name] }

// Names returns the names of all members in the order of the text.
func (o Object) Names() []string {
	names := make([]string, len(o.value.names))
	for i, m := range o.value.names {
		names[i] = m.name
	}
	return names
}

// Require returns the member of that name. Its absence is a problem that
// stands where the object begins, and nil is returned.
func (o Object) Require(name string) *Value {
	v := o.Get(name)
	if v == nil {
		o.value.doc.record(memberPath(o.value.path, name), o.value.offset, false, "is missing")
	}
	return v
}

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(n)
	}
	return strings.Join(quoted, ", ")
}

// caseHint points at the name that differs from got only in case.
func caseHint(got string, names []string) string {
	for _, n := range names {
		if n != got && strings.EqualFold(n, got) {
			return fmt.Sprintf(" (case counts: %q)", n)
		}
	}
	return ""
}

// memberPath appends a member's name to the path of its object. A name that
// is not plain is quoted, so that a path is always one line.
func memberPath(parent, name string) string {
	plain := name != "" && len(name) <= maxQuoted && strings.Trim(name, plainLetters) == ""
	switch {
	case !plain:
		return parent + "[" + Quote(name) + "]"
	case parent == "":
		return name
	}
	return parent + "." + name
}

const (
	plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$-"
	maxQuoted    = 64
)

// Quote returns s in quotes, on one line, with control characters escaped and
// cut after 64 bytes, fit for a message.
func Quote(s string) string { return strconv.Quote(clip(s)) }

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuoted], "") + "…"
}

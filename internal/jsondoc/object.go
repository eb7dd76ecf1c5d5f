package jsondoc

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Object checks that the value is an object with known members only.
func (v *Value) Object(known ...string) (Object, bool) { return v.ObjectRefusing(nil, known...) }

// ObjectRefusing is [Value.Object] with a message for some of the unknown members:
// refused has their names and messages.
func (v *Value) ObjectRefusing(refused map[string]string, known ...string) (Object, bool) {
	if !v.is(kindObject) {
		return Object{}, false
	}
	for _, m := range v.names {
		if slices.Contains(known, m.name) {
			continue
		}
		msg, ok := refused[m.name]
		if !ok {
			msg = fmt.Sprintf("is not a known key: use %s%s", list(known), nameHint(m.name, known))
		}
		v.doc.record(memberPath(v.Path(), m.name), m.offset, false, msg)
	}
	return Object{v}, true
}

// Member returns the member with the name, or nil. It records nothing.
func (v *Value) Member(name string) *Value {
	if !v.IsObject() {
		return nil
	}
	return v.members[name]
}

// Members returns the members of an object with any names, in the order of the text.
func (v *Value) Members() iter.Seq2[string, *Value] {
	return func(yield func(string, *Value) bool) {
		if !v.is(kindObject) {
			return
		}
		for _, m := range v.names {
			if !yield(m.name, v.members[m.name]) {
				return
			}
		}
	}
}

// An Object is a value that is an object.
type Object struct{ value *Value }

// Get returns the member with the name, or nil if it is absent.
func (o Object) Get(name string) *Value { return o.value.members[name] }

// Names returns the names of all members in the order of the text.
func (o Object) Names() []string {
	names := make([]string, len(o.value.names))
	for i, m := range o.value.names {
		names[i] = m.name
	}
	return names
}

// Require returns the member with the name. If it is absent, Require records a problem and
// returns nil. [Value.Object] has reported a member whose name differs only in case.
func (o Object) Require(name string) *Value { return o.RequireBecause(name, "") }

// RequireBecause is [Object.Require] with the reason why the member is required.
func (o Object) RequireBecause(name, because string) *Value {
	v := o.Get(name)
	if v != nil || slices.ContainsFunc(o.value.names, func(m memberName) bool { return strings.EqualFold(m.name, name) }) {
		return v
	}
	msg := "is missing"
	if because != "" {
		msg += "; " + because
	}
	o.value.doc.record(memberPath(o.value.Path(), name), o.value.offset, false, msg)
	return nil
}

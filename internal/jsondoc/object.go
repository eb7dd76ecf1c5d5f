package jsondoc

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Object checks that the value is an object whose members are all among the
// known ones.
func (v *Value) Object(known ...string) (Object, bool) { return v.ObjectRefusing(nil, known...) }

// ObjectRefusing is [Value.Object] for a grammar that has more to say about
// some of the members that it does not know: refused holds their names and the
// message of the problem that each of them is.
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
			msg = fmt.Sprintf("is not a known key: use %s%s", list(known), caseHint(m.name, known))
		}
		v.doc.record(memberPath(v.Path(), m.name), m.offset, false, msg)
	}
	return Object{v}, true
}

// Member returns the member of that name, or nil when it is absent or the value
// is no object. It records nothing.
func (v *Value) Member(name string) *Value {
	if !v.IsObject() {
		return nil
	}
	return v.members[name]
}

// Members returns the members of an object whose names are free, in the order
// of the text.
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
// stands where the object begins, and nil is returned. So it is, without the
// problem, when a member's name differs only in case: [Value.Object] has
// reported that one.
func (o Object) Require(name string) *Value { return o.RequireBecause(name, "") }

// RequireBecause is [Object.Require] for a member that is not always required:
// because says when it is and what it must be. It follows "is missing; ".
func (o Object) RequireBecause(name, because string) *Value {
	v := o.Get(name)
	if v != nil || o.hasFolded(name) {
		return v
	}
	msg := "is missing"
	if because != "" {
		msg += "; " + because
	}
	o.value.doc.record(memberPath(o.value.Path(), name), o.value.offset, false, msg)
	return nil
}

func (o Object) hasFolded(name string) bool {
	return slices.ContainsFunc(o.value.names, func(m memberName) bool { return strings.EqualFold(m.name, name) })
}

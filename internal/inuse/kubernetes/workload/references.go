package workload

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A Reference is a place in an object that names a registry.
type Reference struct {
	// Text is a reference to an image, such as HOST/app:v1 or HOST/app@sha256:…. With
	// AnyTag it is a repository, such as HOST/app.
	Text string
	// AnyTag is true when the tag or digest is a template, such as HOST/app:$(params.tag),
	// or is not in the object. Any image of the repository can be meant.
	AnyTag bool
	// Problem says why the repository is not known. Text is then the text in the object.
	// Otherwise Problem is empty.
	Problem string
}

// References returns the references to ECR registries, and to other hosts, in all keys and
// strings of the JSON of one object. They are sorted and without duplicates. The other
// hosts are names of [reference.Aliases]: in lower case, with or without the beginning of a
// path. The result has the references to all ECR registries, from which the caller selects.
//
// A reference may be anywhere in a string, such as in a script. A string that contains a
// JSON object or array is read as JSON. A repository without a tag that is alone in its
// string is combined with other members of its object, such as tag. References fails only
// if the text is not JSON.
func References(text []byte, hosts []string) ([]Reference, error) {
	f := finder{hosts: hosts}
	if !f.mayName(text) && json.Valid(text) {
		return nil, nil // most objects
	}
	value, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("read an object: %w", err)
	}
	f.value(value)
	slices.SortFunc(f.found, func(a, b Reference) int {
		return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.Problem, b.Problem),
			cmp.Compare(strconv.FormatBool(a.AnyTag), strconv.FormatBool(b.AnyTag)))
	})
	return slices.Compact(f.found), nil
}

// A finder collects the references in one object.
type finder struct {
	hosts []string
	found []Reference
}

// mayName reports whether the text contains a host. An escaped character can be part of one.
func (f *finder) mayName(text []byte) bool {
	lower := bytes.ToLower(text)
	for _, part := range slices.Concat(f.hosts, registryMarks, []string{`\u`, `\/`}) {
		if bytes.Contains(lower, []byte(part)) {
			return true
		}
	}
	return false
}

// decode returns the value with numbers as they are written, because a tag can be 1.10.
func decode(text []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after the object")
	}
	return value, nil
}

func (f *finder) value(value any) {
	switch value := value.(type) {
	case string:
		f.text(value)
	case []any:
		for _, item := range value {
			f.value(item)
		}
		f.complete(itemSettings(value))
	case map[string]any:
		for key, member := range value {
			f.text(key)
			if base, ok := f.base(member); ok {
				f.combine(value, strings.ToLower(key), base)
			} else {
				f.value(member)
			}
		}
	}
}

// text finds the references in a string.
func (f *finder) text(text string) {
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		if value, err := decode([]byte(trimmed)); err == nil {
			f.value(value)
			return
		}
	}
	isAlone := false
	for _, p := range f.places(text) {
		isAlone = isAlone || p.suffix == ""
		f.found = append(f.found, p.reference())
		if tag := strings.TrimRight(p.suffix, "."); tag != p.suffix { // perhaps the end of a sentence
			p.suffix = tag
			f.found = append(f.found, p.reference())
		}
	}
	if isAlone {
		f.complete(textSettings(text))
	}
}

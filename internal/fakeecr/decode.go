package fakeecr

import (
	"encoding/json"
	"reflect"
	"strings"
)

// decode reads a request body into the struct that in points to. Unlike encoding/json it
// refuses members that the struct does not have, also in another case.
func decode(body []byte, in any) error {
	var members any
	if err := json.Unmarshal(body, &members); err != nil {
		return unserializable("%v", err)
	}
	if _, ok := members.(map[string]any); !ok {
		return unserializable("the request is not an object")
	}
	if err := checkNames(members, reflect.TypeOf(in).Elem(), ""); err != nil {
		return err
	}
	if err := json.Unmarshal(body, in); err != nil {
		return unserializable("%v", err)
	}
	return nil
}

// checkNames compares the names of all members in a JSON value with a type. Values of the
// wrong kind pass, because json.Unmarshal refuses them.
func checkNames(value any, t reflect.Type, path string) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := value.(type) {
	case map[string]any:
		return checkMembers(value, t, path)
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for _, item := range value {
			if err := checkNames(item, t.Elem(), path); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkMembers(members map[string]any, t reflect.Type, path string) error {
	if t.Kind() != reflect.Struct {
		return nil
	}
	types := memberTypes(t)
	for name, value := range members {
		member, known := types[name]
		if !known {
			return unserializable("unknown member %s%s", path, name)
		}
		if err := checkNames(value, member, path+name+"."); err != nil {
			return err
		}
	}
	return nil
}

// memberTypes returns the types of a struct's fields by JSON name, including fields of
// embedded structs.
func memberTypes(t reflect.Type) map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(t) {
		if field.Anonymous {
			continue
		}
		types[wireName(field)] = field.Type
	}
	return types
}

func wireName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

package jsondoc_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// access reads a value and returns what came out, and whether it did.
type access func(v *jsondoc.Value) (any, bool)

var (
	asString   access = func(v *jsondoc.Value) (any, bool) { s, ok := v.String(); return s, ok }
	asBool     access = func(v *jsondoc.Value) (any, bool) { b, ok := v.Bool(); return b, ok }
	asInt      access = func(v *jsondoc.Value) (any, bool) { n, ok := v.Int(-5, 90); return n, ok }
	asFloat    access = func(v *jsondoc.Value) (any, bool) { f, ok := v.Float(0, 90); return f, ok }
	asPlainInt access = func(v *jsondoc.Value) (any, bool) { n, ok := v.PlainInt(-5, 90); return n, ok }
	asStrings  access = func(v *jsondoc.Value) (any, bool) { s, ok := v.Strings(); return s, ok }
	asChoice   access = func(v *jsondoc.Value) (any, bool) { s, ok := jsondoc.OneOf(v, "plan", "apply"); return s, ok }
	asArray    access = func(v *jsondoc.Value) (any, bool) { items, ok := v.Array(); return len(items), ok }
	asObject   access = func(v *jsondoc.Value) (any, bool) { _, ok := v.Object("a", "bC"); return nil, ok }
	asMembers  access = func(v *jsondoc.Value) (any, bool) {
		var names []string
		for name := range v.Members() {
			names = append(names, name)
		}
		return names, names != nil
	}
)

func TestAccessorsReturnTheValue(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		read access
		want any
	}{
		"string":         {`"\u00fc\n"`, asString, "ü\n"},
		"choice":         {`"apply"`, asChoice, "apply"},
		"true":           {`true`, asBool, true},
		"false":          {`false`, asBool, false},
		"least integer":  {`-5`, asInt, -5},
		"top integer":    {`90`, asInt, 90},
		"minus zero":     {`-0`, asInt, 0},
		"fraction":       {`10.0`, asInt, 10},
		"exponent":       {`-0.5e+1`, asInt, -5},
		"float":          {`0.1`, asFloat, 0.1},
		"plain":          {`-5`, asPlainInt, -5},
		"strings":        {`["a", "", "a"]`, asStrings, []string{"a", "", "a"}},
		"empty strings":  {`[]`, asStrings, []string{}},
		"array":          {`[1, null, {}]`, asArray, 3},
		"object":         {`{"bC": 1}`, asObject, nil},
		"object, empty":  {`{}`, asObject, nil},
		"members":        {`{"z": 1, "a": null}`, asMembers, []string{"z", "a"}},
		"not only ASCII": {`"🐳"`, asString, "🐳"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := jsondoc.Parse([]byte(tt.text))
			got, ok := tt.read(d.Root())
			if !ok || len(d.Problems()) > 0 {
				t.Fatalf("ok = %v, problems %v", ok, d.Problems())
			}
			equal(t, "value", tt.want, got)
		})
	}
}

func TestAccessorsRefuse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		read access
		want []string
	}{
		"number for string":    {`{"k": 1}`, asString, []string{"1:7: k: must be a string, is a number"}},
		"array for string":     {`{"k": []}`, asString, []string{"1:7: k: must be a string, is an array"}},
		"string for boolean":   {`{"k": "true"}`, asBool, []string{"1:7: k: must be a boolean, is a string"}},
		"boolean for array":    {`{"k": true}`, asArray, []string{"1:7: k: must be an array, is a boolean"}},
		"object for members":   {`{"k": []}`, asMembers, []string{"1:7: k: must be an object, is an array"}},
		"null":                 {`{"k": null}`, asString, []string{"1:7: k: must be a string, is null; leave the key out instead"}},
		"null for object":      {`{"k": null}`, asObject, []string{"1:7: k: must be an object, is null; leave the key out instead"}},
		"null in array":        {`{"k": [null]}`, asStrings, []string{"1:8: k[0]: must be a string, is null; leave the entry out instead"}},
		"string for number":    {`{"k": "20"}`, asInt, []string{"1:7: k: must be a number, is a string"}},
		"fraction":             {`{"k": 10.5}`, asInt, []string{"1:7: k: must be an integer from -5 to 90, is 10.5"}},
		"tiny fraction":        {`{"k": 1.0000000000000000000000001}`, asInt, []string{"1:7: k: must be an integer from -5 to 90, is 1.0000000000000000000000001"}},
		"exponent":             {`{"k": 1e-1}`, asInt, []string{"1:7: k: must be an integer from -5 to 90, is 1e-1"}},
		"capital exponent":     {`{"k": 1E+400}`, asInt, []string{"1:7: k: must be an integer from -5 to 90, is 1E+400"}},
		"plain fraction":       {`{"k": 10.0}`, asPlainInt, []string{"1:7: k: must be an integer without fraction or exponent, is 10.0; write 10"}},
		"plain exponent":       {`{"k": 1e1}`, asPlainInt, []string{"1:7: k: must be an integer without fraction or exponent, is 1e1; write 10"}},
		"plain half":           {`{"k": 1.5}`, asPlainInt, []string{"1:7: k: must be an integer without fraction or exponent, is 1.5"}},
		"float above":          {`{"k": 90.5}`, asFloat, []string{"1:7: k: must be from 0 to 90, is 90.5"}},
		"float huge":           {`{"k": 1e999}`, asFloat, []string{"1:7: k: must be from 0 to 90, is 1e999"}},
		"plain above":          {`{"k": 91}`, asPlainInt, []string{"1:7: k: must be from -5 to 90, is 91"}},
		"plain string":         {`{"k": "20"}`, asPlainInt, []string{"1:7: k: must be a number, is a string"}},
		"below":                {`{"k": -6}`, asInt, []string{"1:7: k: must be from -5 to 90, is -6"}},
		"above":                {`{"k": 91}`, asInt, []string{"1:7: k: must be from -5 to 90, is 91"}},
		"beyond 64 bits":       {`{"k": 9223372036854775808}`, asInt, []string{"1:7: k: must be from -5 to 90, is 9223372036854775808"}},
		"unknown word":         {`{"k": "dry"}`, asChoice, []string{`1:7: k: "dry" is not known: use "plan", "apply"`}},
		"word in another case": {`{"k": "Apply"}`, asChoice, []string{`1:7: k: "Apply" is not known: use "plan", "apply" (case counts: "apply")`}},
		"no word":              {`{"k": 1}`, asChoice, []string{"1:7: k: must be a string, is a number"}},
		"strings and others": {`{"k": ["a", 1, {}]}`, asStrings, []string{
			"1:13: k[1]: must be a string, is a number",
			"1:16: k[2]: must be a string, is an object",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := jsondoc.Parse([]byte(tt.text))
			if got, ok := tt.read(d.Root().Member("k")); ok {
				t.Errorf("got %v, want none", got)
			}
			equal(t, "problems", tt.want, problems(d))
		})
	}
}

func TestNullDocumentHasNoKeyToLeaveOut(t *testing.T) {
	t.Parallel()
	d := jsondoc.Parse([]byte("null"))
	d.Root().Object()
	equal(t, "problems", []string{"1:1: must be an object, is null"}, problems(d))
}

func TestAbsentValueReadsAsNothing(t *testing.T) {
	t.Parallel()
	var absent *jsondoc.Value
	for i, read := range []access{asString, asBool, asInt, asStrings, asChoice, asArray, asObject, asMembers} {
		if got, ok := read(absent); ok {
			t.Errorf("access %d of an absent value returned %v", i, got)
		}
	}
	if absent.IsNull() || absent.IsString() || absent.IsObject() || absent.Faulty() || absent.Member("a") != nil {
		t.Error("an absent value is something")
	}
}

func TestKindsAreToldApartWithoutProblems(t *testing.T) {
	t.Parallel()
	d := jsondoc.Parse([]byte(`{"null": null, "string": "", "object": {}, "number": 0}`))
	got := map[string][3]bool{}
	for name, v := range d.Root().Members() {
		got[name] = [3]bool{v.IsNull(), v.IsString(), v.IsObject()}
	}
	want := map[string][3]bool{"null": {true, false, false}, "string": {false, true, false}, "object": {false, false, true}, "number": {}}
	if !maps.Equal(got, want) || len(d.Problems()) > 0 {
		t.Errorf("got %v, want %v; problems %v", got, want, d.Problems())
	}
	if d.Root().Member("string").Member("x") != nil || d.Root().Member("x") != nil {
		t.Error("found a member that is not there")
	}
}

func TestFaultyLooksInsideTheValueOnly(t *testing.T) {
	t.Parallel()
	d := jsondoc.Parse([]byte(`[{"a": 1}, {"a": 1, "a": 2}, {"b": [0]}, {"c": 3}, {}]`))
	items, _ := d.Root().Array()
	deep, _ := items[2].Member("b").Array()
	deep[0].Problem("wrong")
	items[3].Member("c").Warn("odd")
	o, _ := items[4].Object()
	o.Require("d")
	var got []bool
	for _, item := range items {
		got = append(got, item.Faulty())
	}
	if want := []bool{false, true, true, false, true}; !slices.Equal(got, want) || !d.Root().Faulty() {
		t.Errorf("Faulty() = %v, want %v", got, want)
	}
}

func TestObjectReportsUnknownKeys(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long", 20)
	d := jsondoc.Parse([]byte(`{"mode": 1, "Mode": 2, "x\ny": 3, "": 4, "` + long + `": 5, "old": 6}`))
	o, ok := d.Root().ObjectRefusing(map[string]string{"old": "is gone; use mode"}, "mode", "limit")
	if !ok {
		t.Fatal("an object with unknown keys is refused as a whole")
	}
	want := []string{
		`1:13: Mode: is not a known key: use "mode", "limit" (case counts: "mode")`,
		`1:24: ["x\ny"]: is not a known key: use "mode", "limit"`,
		`1:35: [""]: is not a known key: use "mode", "limit"`,
		`1:42: ["` + long[:64] + `…"]: is not a known key: use "mode", "limit"`,
		`1:129: old: is gone; use mode`,
	}
	equal(t, "problems", want, problems(d))
	equal(t, "Names()", []string{"mode", "Mode", "x\ny", "", long, "old"}, o.Names())
	if n, _ := o.Get("mode").Int(1, 1); n != 1 || o.Get("limit") != nil {
		t.Error("Get returned another member, or one that is absent")
	}
}

func TestRequireReportsMissingKeys(t *testing.T) {
	t.Parallel()
	d := jsondoc.Parse([]byte(`{"a": {"b": 1, "Count": 2}}`))
	outer, _ := d.Root().Object("a")
	o, _ := outer.Require("a").Object("b", "count", "unit", "size")
	if o.Require("b") == nil || o.RequireBecause("b", "x") == nil {
		t.Error("a member that is there is reported missing")
	}
	for _, name := range []string{"unit", "count"} {
		if o.Require(name) != nil {
			t.Errorf("Require(%q) returned a member", name)
		}
	}
	o.RequireBecause("size", `"b" needs it`)
	want := []string{
		`1:7: a.unit: is missing`,
		`1:7: a.size: is missing; "b" needs it`,
		`1:16: a.Count: is not a known key: use "count", "b", "unit", "size" (case counts: "count")`,
	}
	equal(t, "problems", want, problems(d))
}

func TestMembersCanBeLeftEarly(t *testing.T) {
	t.Parallel()
	d := jsondoc.Parse([]byte(`{"a": 1, "b": 2}`))
	for name := range d.Root().Members() {
		if name != "a" {
			t.Errorf("went on to %q", name)
		}
		break
	}
}

func TestProblemsAsError(t *testing.T) {
	t.Parallel()
	ps := jsondoc.Problems{
		{Path: "a", Line: 1, Column: 2, Message: "is missing"},
		{Path: "b", Line: 3, Column: 4, Warning: true, Message: "is odd"},
		{Line: 5, Column: 6, Message: "is empty"},
	}
	equal(t, "Err()", "1:2: a: is missing; 5:6: is empty", ps.Err().Error())
	warnings := ps.Warnings()
	equal(t, "Warnings()", "3:4: b: warning: is odd", warnings.Error())
	if err := warnings.Err(); err != nil {
		t.Errorf("warnings are an error: %v", err)
	}
}

func TestQuoteKeepsMessagesOnOneLine(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                              `""`,
		"a\r\n\t\"\x1b\u2028\xff":       `"a\r\n\t\"\x1b\u2028\xff"`,
		strings.Repeat("ü", 40):         `"` + strings.Repeat("ü", 32) + `…"`,
		strings.Repeat("a", 63) + "üüü": `"` + strings.Repeat("a", 63) + `…"`,
		strings.Repeat("a", 64):         `"` + strings.Repeat("a", 64) + `"`,
	} {
		equal(t, "Quote("+s+")", want, jsondoc.Quote(s))
	}
}

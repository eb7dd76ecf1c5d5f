package jsondoc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// problems returns the problems of a document as lines.
func problems(d *jsondoc.Document) []string {
	lines := []string{}
	for _, p := range d.Problems() {
		lines = append(lines, p.String())
	}
	return lines
}

// equal checks that both values are the same and prints their difference.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s mismatch (-want +got):\n%s", what, diff)
	}
}

func TestParseReportsFaultsOfTheText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"empty text":                {"", "1:1: is empty; a JSON object is expected"},
		"white space only":          {" \r\n\t\n ", "3:2: is empty; a JSON object is expected"},
		"byte order mark":           {"\ufeff{}", "1:1: begins with a byte order mark; save the file as UTF-8 without one"},
		"invalid UTF-8":             {"{\n \"ü\xff\": 1}", "2:4: is not UTF-8; save the file as UTF-8"},
		"replacement character":     {"\ufffd", "1:1: is not JSON: invalid character '�' looking for beginning of value"},
		"UTF-16":                    {"\xff\xfe{\x00}\x00", "1:1: is not UTF-8; save the file as UTF-8"},
		"truncated object":          {"{\"ü\":\n [1", "2:4: ends too early: the JSON is cut short; add the rest"},
		"truncated string":          {`{"a": "b`, "1:9: ends too early: the JSON is cut short; add the rest"},
		"trailing text":             {"{}\r\n x", "2:2: is not JSON: invalid character 'x' after top-level value"},
		"second value":              {"{}{}", "1:3: is not JSON: invalid character '{' after top-level value"},
		"comma before a brace":      {"{\"a\": 1,\n}", "2:1: is not JSON: invalid character '}' looking for beginning of object key string; remove the comma before it"},
		"comma before a bracket":    {`[1, ]`, "1:5: is not JSON: invalid character ']' looking for beginning of value; remove the comma before it"},
		"missing value":             {`{"a": }`, "1:7: is not JSON: invalid character '}' looking for beginning of value"},
		"missing comma":             {`{"ü": "ü" "b": 2}`, "1:11: is not JSON: invalid character '\"' after object key:value pair"},
		"single quotes":             {`{'a': 1}`, `1:2: is not JSON: invalid character '\'' looking for beginning of object key string; write strings in straight double quotes (")`},
		"curly quotes":              {`{“a”: 1}`, `1:2: is not JSON: invalid character '“' looking for beginning of object key string; write strings in straight double quotes (")`},
		"line comment":              {"{\n// x\n}", "2:1: is not JSON: invalid character '/' looking for beginning of object key string; JSON has no comments"},
		"line break inside string":  {"\"a\nb\"", `1:3: is not JSON: invalid character '\n' in string literal`},
		"escape character":          {"[\"\x1b[31m\"]", `1:3: is not JSON: invalid character '\x1b' in string literal`},
		"space inside a word":       {"[tru e]", "1:5: is not JSON: invalid character ' ' in literal true (expecting 'e')"},
		"leading zero":              {"[01]", "1:3: is not JSON: invalid character '1' after array element"},
		"nested too deeply":         {strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), "1:321: a" + strings.Repeat(".a", 63) + ": is nested more than 64 levels deep"},
		"nested beyond all measure": {strings.Repeat("[", 20_000), "1:10001: is nested more than 64 levels deep"},
		"too deep and repeated":     {`{"a":1,"a":2,"b":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "1:81: b" + strings.Repeat("[0]", 63) + ": is nested more than 64 levels deep"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := jsondoc.Parse([]byte(tt.text))
			if d.Root() != nil {
				t.Error("Root() is not nil")
			}
			equal(t, "problems", []string{tt.want}, problems(d))
		})
	}
}

func TestParseTakesTheDeepestNesting(t *testing.T) {
	t.Parallel()
	d := jsondoc.Parse([]byte(strings.Repeat("[", jsondoc.MaxDepth) + strings.Repeat("]", jsondoc.MaxDepth)))
	if d.Root() == nil || len(d.Problems()) > 0 {
		t.Errorf("%d levels are refused: %v", jsondoc.MaxDepth, d.Problems())
	}
}

func TestProblemsStandWhereTheValueBegins(t *testing.T) {
	t.Parallel()
	text := "{\r\n  \"größe\" : [ 1 ,\t\"🐳\", \"x\" ],\r\n\r\n\"b\":{\"c d\":null}}\n"
	d := jsondoc.Parse([]byte(text))
	root := d.Root()
	items, _ := root.Member("größe").Array()
	// Recorded out of order on purpose.
	root.Member("b").Member("c d").Problem("null")
	items[2].Problem("after wide characters")
	items[1].Warn("wide %s", "character")
	items[0].Problem("number")
	root.Problem("root")
	root.Member("b").Problem("object")
	want := []string{
		`1:1: root`,
		`2:15: ["größe"][0]: number`,
		`2:19: ["größe"][1]: warning: wide character`,
		`2:24: ["größe"][2]: after wide characters`,
		`4:5: b: object`,
		`4:12: b["c d"]: null`,
	}
	for range 2 { // asking does not change the answer
		equal(t, "problems", want, problems(d))
	}
}

func TestRepeatedMembersAreProblems(t *testing.T) {
	t.Parallel()
	d := jsondoc.Parse([]byte(`{"a": 1, "b": {"x": true, "x": null}, "a": 2, "A": 3,
 "a": [{"y": 1, "y": 1}], "\u0062": 4, "c": [1], "c": [2]}`))
	want := []string{
		`1:27: b.x: is given twice; keep one`,
		`1:39: a: is given twice; keep one`,
		`2:2: a: is given twice; keep one`,
		`2:17: a[0].y: is given twice; keep one`,
		`2:27: b: is given twice; keep one`,
		`2:50: c: is given twice; keep one`,
	}
	equal(t, "problems", want, problems(d))
	if items, ok := d.Root().Member("c").Array(); !ok || len(items) != 1 {
		t.Error("the first of two arrays is not read")
	}
	a := d.Root().Member("a")
	if _, ok := a.Int(0, 9); ok || a.IsString() || a.IsNull() {
		t.Error("a number that is given twice is read")
	}
	if _, ok := a.String(); ok || len(d.Problems()) != len(want) {
		t.Errorf("a second problem is recorded: %v", d.Problems())
	}
}

func TestManyProblemsAreFoundQuickly(t *testing.T) {
	t.Parallel()
	const n = 100_000
	d := jsondoc.Parse([]byte("[" + strings.TrimSuffix(strings.Repeat("0,", n), ",") + "]"))
	if values, ok := d.Root().Strings(); ok || len(values) > 0 {
		t.Fatal("numbers are read as strings")
	}
	ps := d.Problems()
	last := ps[len(ps)-1]
	if want := fmt.Sprintf("and %d more problems", n-jsondoc.MaxProblems); len(ps) != jsondoc.MaxProblems+1 || last.Message != want {
		t.Errorf("%d problems, the last is %q, want %d and %q", len(ps), last, jsondoc.MaxProblems+1, want)
	}
	equal(t, "column of the last problem told", 2*jsondoc.MaxProblems, ps[jsondoc.MaxProblems-1].Column)
	if got := len(ps.Error()); got > 2000 {
		t.Errorf("the error has %d bytes", got)
	}
}

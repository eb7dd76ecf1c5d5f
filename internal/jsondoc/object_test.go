package jsondoc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

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
	if diff := cmp.Diff(want, problems(d)); diff != "" {
		t.Errorf("problems mismatch (-want +got):\n%s", diff)
	}
	if got, want := o.Names(), []string{"mode", "Mode", "x\ny", "", long, "old"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
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
		`1:16: a.Count: is not a known key: use "b", "count", "unit", "size" (case counts: "count")`,
	}
	if diff := cmp.Diff(want, problems(d)); diff != "" {
		t.Errorf("problems mismatch (-want +got):\n%s", diff)
	}
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
	if got, want := ps.Err().Error(), "1:2: a: is missing; 5:6: is empty"; got != want {
		t.Errorf("Err() = %q, want %q", got, want)
	}
	warnings := ps.Warnings()
	if got, want := warnings.Error(), "3:4: b: warning: is odd"; got != want {
		t.Errorf("Warnings() = %q, want %q", got, want)
	}
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
		if got := jsondoc.Quote(s); got != want {
			t.Errorf("Quote(%q) = %s, want %s", s, got, want)
		}
	}
}

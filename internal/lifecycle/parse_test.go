package lifecycle_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// policy returns the text of a policy whose rules have these selections, with
// priorities from 1 in that order.
func policy(selections ...string) []byte {
	var rules []string
	for i, s := range selections {
		rules = append(rules, fmt.Sprintf(`{"rulePriority":%d,"selection":%s,"action":{"type":"expire"}}`, i+1, s))
	}
	return []byte(`{"rules":[` + strings.Join(rules, ",") + `]}`)
}

const keepTen = `{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10}`

func pattern(tb testing.TB, text string) lifecycle.TagPattern {
	tb.Helper()
	p, err := lifecycle.ParseTagPattern(text)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// equal checks that both values are the same and prints their difference.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s mismatch (-want +got):\n%s", what, diff)
	}
}

func TestParseReadsEveryField(t *testing.T) {
	t.Parallel()
	got, ps := lifecycle.Parse(corpus.File(t, "testdata/valid/one-rule-of-each-kind.json"), lifecycle.AWS)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	expire := lifecycle.Action{Type: lifecycle.Expire}
	want := lifecycle.Policy{Rules: []lifecycle.Rule{
		{RulePriority: 1, Action: expire, Selection: lifecycle.Selection{
			TagStatus: lifecycle.Tagged, TagPatternList: []lifecycle.TagPattern{pattern(t, "prod*")},
			StorageClass: lifecycle.StandardClass, CountType: lifecycle.ImageCountMoreThan, CountNumber: 10,
		}},
		{RulePriority: 2, Action: expire, Selection: lifecycle.Selection{
			TagStatus: lifecycle.Tagged, TagPrefixList: []string{"stage", "release-"},
			StorageClass: lifecycle.StandardClass, CountType: lifecycle.ImageCountMoreThan, CountNumber: 10,
		}},
		{RulePriority: 3, Action: expire, Selection: lifecycle.Selection{
			TagStatus: lifecycle.Untagged, StorageClass: lifecycle.StandardClass, CountType: lifecycle.SinceImagePushed, CountNumber: 1,
		}},
		{RulePriority: 9, Selection: lifecycle.Selection{
			TagStatus: lifecycle.Any, StorageClass: lifecycle.StandardClass, CountType: lifecycle.SinceImagePulled, CountNumber: 30,
		}, Action: lifecycle.Action{Type: lifecycle.Transition, TargetStorageClass: lifecycle.ArchiveClass}},
		{RulePriority: 5, Action: expire, Selection: lifecycle.Selection{
			TagStatus: lifecycle.Untagged, StorageClass: lifecycle.ArchiveClass, CountType: lifecycle.SinceImageTransitioned, CountNumber: 90,
		}},
		{RulePriority: 6, Action: expire, Selection: lifecycle.Selection{
			TagStatus: lifecycle.Any, StorageClass: lifecycle.ArchiveClass, CountType: lifecycle.SinceImageTransitioned, CountNumber: 365,
		}},
	}}
	equal(t, "Parse", want, got)
}

func TestTextLength(t *testing.T) {
	t.Parallel()
	text := policy(keepTen)
	padded := func(n int) []byte { return slices.Concat(text, bytes.Repeat([]byte(" "), n-len(text))) }
	wide := []byte(strings.Replace(string(text), `"selection"`, `"description":"`+strings.Repeat("ü", 30_000)+`","selection"`, 1))
	tests := map[string]struct {
		text      []byte
		parse     bool // Parse finds no fault
		parseText bool // ParseText finds no fault
	}{
		"usual":                           {text, true, true},
		"greatest":                        {padded(30_720), true, true},
		"too long":                        {padded(30_721), true, false},
		"characters, not bytes":           {wide, true, true},
		"greatest that is read at all":    {padded(1 << 20), true, false},
		"too long to be read at all":      {padded(1<<20 + 1), false, false},
		"short, and therefore incomplete": {[]byte(`{"rules":[]}`), false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, ps := lifecycle.Parse(tt.text, lifecycle.AWS); (ps.Err() == nil) != tt.parse {
				t.Errorf("Parse: problems %v, want none: %v", ps, tt.parse)
			}
			if _, ps := lifecycle.ParseText(tt.text); (ps.Err() == nil) != tt.parseText {
				t.Errorf("ParseText: problems %v, want none: %v", ps, tt.parseText)
			}
		})
	}
}

func TestParseRefusesGarbageAtOnce(t *testing.T) {
	t.Parallel()
	garbage := map[string][]byte{"100 MiB": bytes.Repeat([]byte("["), 100<<20)}
	for _, unit := range []string{"[", "{", "[0,", `{"rules":[{}`, "x", "\xff", " "} {
		garbage[unit] = bytes.Repeat([]byte(unit), 1<<20/len(unit))
	}
	for name, text := range garbage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, ps := lifecycle.Parse(text, lifecycle.AWS); len(ps) != 1 {
				t.Errorf("Parse: %d problems, want 1", len(ps))
			}
			if _, ps := lifecycle.ParseText(text); len(ps) != 1 {
				t.Errorf("ParseText: %d problems, want 1", len(ps))
			}
		})
	}
}

func TestParseReportsManyFaultsQuickly(t *testing.T) {
	t.Parallel()
	rules := strings.TrimSuffix(strings.Repeat("0,", 200_000), ",")
	_, ps := lifecycle.Parse([]byte(`{"rules":[`+rules+`]}`), lifecycle.AWS)
	equal(t, "number of problems", jsondoc.MaxProblems+1, len(ps))
}

func TestFromValueReportsInTheOuterDocument(t *testing.T) {
	t.Parallel()
	doc := jsondoc.Parse([]byte(`{"policies": [
  {"policy": ` + string(policy(keepTen)) + `},
  {"policy": ` + string(policy(keepTen, keepTen)) + `},
  {"policy": {"rules": [], "rules": []}}
]}`))
	entries, _ := doc.Root().Member("policies").Array()
	var got []int
	for _, entry := range entries {
		got = append(got, len(lifecycle.FromValue(entry.Member("policy"), lifecycle.AWS).Rules))
	}
	equal(t, "number of rules", []int{1, 0, 0}, got)
	paths := []string{}
	for _, p := range doc.Problems() {
		paths = append(paths, fmt.Sprintf("%d %s", p.Line, p.Path))
	}
	wantPaths := []string{
		"3 policies[1].policy.rules[1].selection.tagStatus",
		"4 policies[2].policy.rules",
		"4 policies[2].policy.rules",
	}
	equal(t, "paths", wantPaths, paths)
}

func TestFromValueOfNothing(t *testing.T) {
	t.Parallel()
	if got := lifecycle.FromValue(nil, lifecycle.Extended); got.Rules != nil {
		t.Errorf("FromValue(nil) = %v, want the zero Policy", got)
	}
}

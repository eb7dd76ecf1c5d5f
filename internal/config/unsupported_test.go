package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

func TestUnsupportedNamesEachFieldOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []string
	}{
		"the default":        {`{}`, nil},
		"nothing is scanned": {`{"protect": {"inUse": []}}`, nil},
		"what is carried out": {
			`{"protect": {"inUse": ["lambda", "ecs"], "references": ["r"], "taskDefinitionRevisions": 1, "eksClusters": ["x"]},
			  "orphans": "delete", "report": {"notify": "always"}}`, nil,
		},
		"several entries with the general settings": {
			`{"onExpire": "archive", "policies": [{"name": "a"}, {"name": "b"}, {"policy": "none"}]}`,
			[]string{`onExpire "archive" (set "delete")`},
		},
		"everything": {
			`{"onExpire": "archive",
			  "policies": [{"repositoryTags": {"a": "b"}}, {"repositoryTags": {"a": "b"}}],
			  "report": {"s3": "s3://b", "html": true, "sns": "arn:x"}}`,
			[]string{
				`onExpire "archive" (set "delete")`, "policies[0].repositoryTags (select by name)",
				"policies[1].repositoryTags (select by name)", `report.s3 (set "")`, "report.html (set false)", `report.sns (set "")`,
			},
		},
		"an entry's own": {
			`{"policies": [{}, {"onExpire": "archive"}]}`,
			[]string{`policies[1].onExpire "archive" (set "delete")`},
		},
		"rules that untag": {
			`{"policies": [{}, {"policy": {"rules": [
			  {"rulePriority": 1, "selection": {"tagStatus": "any", "tagExcludePatternList": ["dev"]}, "action": {"type": "retain"}},
			  {"rulePriority": 2, "selection": {"tagStatus": "tagged", "tagPatternList": ["dev"], "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "untag"}}]}}]}`,
			[]string{`policies[1].policy.rules[1].action "untag" (take the rule out)`},
		},
		// what is removed by name from a repository without an entry obeys the
		// general settings
		"general settings that every entry replaces": {
			`{"onExpire": "archive", "policies": [{"repositories": ["a"], "onExpire": "delete"}]}`,
			[]string{`onExpire "archive" (set "delete")`},
		},
		"no entry at all": {`{"onExpire": "archive", "policies": []}`, []string{`onExpire "archive" (set "delete")`}},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, mustParse(t, test.text).Unsupported()); diff != "" {
			t.Errorf("%s: Unsupported mismatch (-want +got):\n%s", name, diff)
		}
	}
}

func TestUnsupportedErrorNamesTheFields(t *testing.T) {
	t.Parallel()
	err := &config.UnsupportedError{Fields: []string{"a (set [])", "b (set 0)"}}
	if got, want := err.Error(), "configuration: apply does not support these yet: a (set []); b (set 0)"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

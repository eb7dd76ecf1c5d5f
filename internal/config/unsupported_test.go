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
		"what else is carried out": {
			`{"onExpire": "archive", "protect": {"inUse": ["eks"]}, "policies": [{"repositoryTags": {"a": "b"}}, {"policy": {"rules": [
			  {"rulePriority": 1, "selection": {"tagStatus": "any", "tagExcludePatternList": ["dev"]}, "action": {"type": "retain"}},
			  {"rulePriority": 2, "selection": {"tagStatus": "tagged", "tagPatternList": ["dev"], "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "untag"}}]}}]}`,
			nil,
		},
		"everything": {
			`{"report": {"s3": "s3://b", "html": true, "sns": "arn:x"}}`,
			[]string{
				`report.s3 (set "")`, "report.html (set false)", `report.sns (set "")`,
			},
		},
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

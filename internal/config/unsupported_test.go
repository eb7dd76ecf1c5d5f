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
			`{"protect": {"inUse": ["ecs", "eks"]}, "policies": [{"name": "a"}, {"name": "b"}, {"policy": "none"}]}`,
			[]string{`protect.inUse "eks" (take it out)`},
		},
		"everything": {
			`{"protect": {"inUse": ["eks", "apprunner", "sagemaker", "batch", "codebuild"]}, "onExpire": "archive",
			  "policies": [{"repositoryTags": {"a": "b"}}, {"repositoryTags": {"a": "b"}}],
			  "report": {"s3": "s3://b", "html": true, "sns": "arn:x"}}`,
			[]string{
				`protect.inUse "eks" (take it out)`, `protect.inUse "apprunner" (take it out)`, `protect.inUse "sagemaker" (take it out)`,
				`protect.inUse "batch" (take it out)`, `protect.inUse "codebuild" (take it out)`,
				`onExpire "archive" (set "delete")`, `report.s3 (set "")`, "report.html (set false)", `report.sns (set "")`,
			},
		},
		"an entry's own": {
			`{"policies": [{}, {"protect": {"inUse": ["eks"]}, "onExpire": "archive"}]}`,
			[]string{`policies[1].protect.inUse "eks" (take it out)`, `policies[1].onExpire "archive" (set "delete")`},
		},
		"an entry beside unsupported general settings": {
			`{"protect": {"inUse": ["eks"]}, "policies": [{"onExpire": "archive"}]}`,
			[]string{`protect.inUse "eks" (take it out)`, `policies[0].onExpire "archive" (set "delete")`},
		},
		// what is removed by name from a repository without an entry is
		// protected by the general settings
		"general settings that every entry replaces": {
			`{"protect": {"inUse": ["eks"]}, "policies": [{"repositories": ["a"], "protect": {"inUse": []}}]}`,
			[]string{`protect.inUse "eks" (take it out)`},
		},
		"no entry at all": {`{"protect": {"inUse": ["eks"]}, "policies": []}`, []string{`protect.inUse "eks" (take it out)`}},
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

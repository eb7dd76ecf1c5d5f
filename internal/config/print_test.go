package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
)

func TestDocumentIsReadAsTheSameConfiguration(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`, string(corpus.File(t, "testdata/all.json")),
		`{"mode": "apply", "repositories": {"include": ["a", "b/*"], "exclude": ["b/c"]}, "policies": []}`,
		`{"policies": [{"name": "<n> & m", "repositories": ["a"], "repositoryTags": {"team": "a"}, "policy": ` + keep3 + `}, {"name": "rest", "policy": "none"}]}`,
		`{"limits": {"maxDeletions": 5, "maxDeletedPercent": 5}, "policies": [{"limits": {"maxDeletedPercent": 100}}, {"limits": {"maxDeletions": 5}}, {}]}`,
		`{"protect": {"inUse": [], "references": [], "tagPatterns": [], "eksClusters": [], "keepNewest": 0}, "policies": [{"protect": {"inUse": ["ecs"]}}]}`,
		`{"protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/b"}, "referencesMaxAgeHours": 5},
			"policies": [{}, {"protect": {"keepNewest": 9}}, {"protect": {"referencesMaxAgeHours": 6}}]}`,
		`{"orphans": "delete", "onExpire": "archive", "policies": [{"orphans": "keep", "onExpire": "delete"}], "report": {"s3": "s3://b/k", "notify": "always"}}`,
	} {
		c := mustParse(t, text)
		document, err := c.Document()
		if err != nil {
			t.Fatal(err)
		}
		if hash(t, mustParse(t, string(document))) != hash(t, c) {
			t.Errorf("%s is printed as\n%s", text, document)
		}
	}
}

func TestDocumentLeavesOutWhatIsUsual(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"mode": "plan", "limits": {"maxDeletions": 10000}, "policies": [{"policy": "none", "name": "rest", "limits": {"maxDeletions": 7}}]}`)
	narrowed, err := c.Narrow(config.Request{Repositories: patterns("x")})
	if err != nil {
		t.Fatal(err)
	}
	document, err := narrowed.Document()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"policies": [{"name": "rest", "repositories": ["*"], "policy": "none", "limits": {"maxDeletions": 7}}]}`
	if diff := cmp.Diff(strings.Fields(want), strings.Fields(compact(string(document)))); diff != "" {
		t.Errorf("document mismatch (-want +got):\n%s", diff)
	}
}

// compact puts an indented document on one line, as a person would write it.
func compact(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer("{ ", "{", " }", "}", "[ ", "[", " ]", "]").Replace(words)
}

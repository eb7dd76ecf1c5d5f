package config_test

import (
	"regexp"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
)

func hash(t *testing.T, c config.Config) string {
	t.Helper()
	h, err := c.Hash()
	if err != nil {
		t.Fatalf("Hash: %v", err)
	}
	return h
}

func TestHashDoesNotDependOnSpelling(t *testing.T) {
	t.Parallel()
	same := []string{
		`{"policies": [{"name": "n", "policy": ` + keep3 + `}], "limits": {"maxDeletions": 5}}`,
		` { "limits":{"maxDeletions":5} , "policies":[ {"policy":` + keep3 + `,"name":"\u006e"} ] } `,
		`{"mode": "plan", "limits": {"maxDeletedPercent": 100, "maxDeletions": 5},
			"policies": [{"name": "n", "repositories": ["*"], "orphans": "keep", "policy": ` + keep3 + `}]}`,
	}
	want := hash(t, mustParse(t, same[0]))
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(want) {
		t.Errorf("Hash() = %s", want)
	}
	for _, text := range same[1:] {
		if got := hash(t, mustParse(t, text)); got != want {
			t.Errorf("the hash of %s is another one than that of %s", text, same[0])
		}
	}
}

// inline returns a configuration with a policy of one rule.
func inline(selection, action string) string {
	return `{"policies": [{"policy": {"rules": [{"rulePriority": 1, "selection": ` + selection + `, "action": {"type": "` + action + `"}}]}}]}`
}

func TestHashDependsOnEveryField(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, text := range []string{
		`{}`, string(corpus.File(t, "testdata/all.json")),
		`{"mode": "apply"}`,
		`{"repositories": {"include": ["a"]}}`, `{"repositories": {"exclude": ["a"]}}`,
		`{"policies": []}`, `{"policies": [{"name": "n"}]}`, `{"policies": [{"repositories": ["a"]}]}`,
		`{"policies": [{"repositoryTags": {"a": "b"}}]}`, `{"policies": [{"repositoryTags": {"a": "c"}}]}`,
		`{"policies": [{"name": "attached", "policy": "none"}]}`, `{"policies": [{"name": "attached", "policy": ` + keep3 + `}]}`,
		`{"policies": [{"limits": {"maxDeletions": 10000}}]}`, // a budget of its own
		`{"policies": [{"orphans": "delete"}]}`, `{"orphans": "delete"}`, `{"onExpire": "archive"}`,
		`{"protect": {"inUse": []}}`, `{"protect": {"references": ["a"]}}`, `{"protect": {"taskDefinitionRevisions": 6}}`,
		`{"protect": {"eksClusters": []}}`, `{"protect": {"tagPatterns": []}}`, `{"protect": {"keepNewest": 2}}`,
		`{"protect": {"referencesMaxAgeHours": 1}}`, `{"protect": {"referencesMaxAgeHours": 2}}`, `{"policies": [{"protect": {"referencesMaxAgeHours": 2}}]}`,
		`{"protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}`,
		`{"protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/b"}}}`,
		`{"protect": {"registryAliases": {"b": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}`,
		`{"protect": {"pulledWithinDays": 2}}`, `{"protect": {"pushedWithinHours": 2}}`,
		`{"limits": {"maxDeletions": 2}}`, `{"limits": {"maxDeletionsPerRepository": 2}}`, `{"limits": {"maxDeletedPercent": 2}}`,
		inline(`{"tagStatus": "any"}`, "retain"), inline(`{"tagStatus": "any", "storageClass": "archive"}`, "retain"),
		inline(`{"tagStatus": "tagged"}`, "retain"), inline(`{"tagStatus": "tagged", "tagRegexList": ["a", "b"]}`, "retain"),
		inline(`{"tagStatus": "tagged", "tagPatternList": ["a", "b"]}`, "retain"),
		inline(`{"tagStatus": "tagged", "tagRegexList": ["a", "b"], "tagMatch": "any"}`, "retain"),
		inline(`{"tagStatus": "any", "tagExcludePatternList": ["a"]}`, "retain"),
		inline(`{"tagStatus": "any", "tagExcludePatternList": ["b"]}`, "retain"),
		inline(`{"tagStatus": "tagged", "tagRegexList": ["a"], "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 1}`, "expire"),
		inline(`{"tagStatus": "tagged", "tagRegexList": ["a"], "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 1}`, "untag"),
		inline(`{"tagStatus": "tagged", "tagRegexList": ["a"], "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 1, "keepNewest": 1}`, "untag"),
		inline(`{"tagStatus": "tagged", "tagRegexList": ["a"], "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 1, "keepNewest": 2}`, "untag"),
		`{"report": {"s3": "s3://a"}}`, `{"report": {"html": true}}`, `{"report": {"sns": "arn:a"}}`, `{"report": {"notify": "always"}}`,
	} {
		h := hash(t, mustParse(t, text))
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the same hash as %s", text, other)
		}
		seen[h] = text
	}
}

// A plan is made from a narrowed configuration and applied with another
// narrowing; both are the same configuration.
func TestNarrowingAndOverridingLeaveTheHashOfTheConfigurationAlone(t *testing.T) {
	t.Parallel()
	c := mustParse(t, string(corpus.File(t, "testdata/all.json")))
	want := hash(t, c)
	one := 1
	if _, err := c.Narrow(config.Request{
		Mode: config.Plan, Repositories: patterns("x"), MaxDeletions: &one,
		MaxDeletionsPerRepository: &one, MaxDeletedPercent: &one,
	}); err != nil {
		t.Fatal(err)
	}
	c.Override(&one, &one, &one)
	if got := hash(t, c); got != want {
		t.Error("Narrow or Override has changed the configuration")
	}
	selected, err := c.Narrow(config.Request{Repositories: patterns("x"), MaxDeletions: &one})
	if err != nil {
		t.Fatal(err)
	}
	if got := hash(t, selected); got != want {
		t.Error("the selection and the budget of one run count for the hash")
	}
}

package config_test

import (
	"fmt"
	"regexp"
	"strings"
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
		equal(t, "hash of "+text, want, hash(t, mustParse(t, text)))
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
		`{"protect": {"ecs": {"rules": false}}}`, `{"protect": {"ecs": {"pipes": false}}}`, `{"protect": {"ecs": {"familyDays": 1}}}`,
		`{"protect": {"eksResources": []}}`, `{"protect": {"kubeconfig": "k"}}`, `{"protect": {"kubeconfig": {"contexts": ["k"]}}}`,
		`{"protect": {"eksClusters": []}}`, `{"protect": {"tagPatterns": []}}`, `{"protect": {"keepNewest": 2}}`,
		`{"protect": {"referencesMaxAgeHours": 1}}`, `{"protect": {"referencesMaxAgeHours": 2}}`, `{"policies": [{"protect": {"referencesMaxAgeHours": 2}}]}`,
		`{"protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}`,
		`{"protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/b"}}}`,
		`{"protect": {"registryAliases": {"b": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}`,
		`{"protect": {"regions": ["us-east-1"]}}`, `{"protect": {"accounts": [` + account + `}]}}`,
		`{"protect": {"accounts": [` + account + `, "externalId": "ab"}]}}`, `{"protect": {"accounts": [` + account + `, "inUse": ["eks"]}]}}`,
		`{"protect": {"accounts": [` + account + `, "regions": ["us-east-1"]}]}}`, `{"policies": [{"protect": {"accounts": [` + account + `}]}}]}`,
		`{"protect": {"references": ["s3://b/p/"], "expect": ["222222222222/eu-west-1"]}}`,
		`{"protect": {"references": ["s3://b/p/"], "expect": ["222222222222/us-east-1"]}}`, `{"references": {"s3": "s3://b/p/"}}`,
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
		`{"fleet": {"maxRounds": 2}}`, `{"fleet": {"listsMaxAgeMinutes": 5}}`, `{"targets": [` + target + `}]}`, `{"targets": [` + target + `, "externalId": "ab"}]}`,
		`{"targets": [` + target + `, "applyRoleArn": "arn:aws:iam::*:role/remover"}]}`, `{"targets": [` + target + `, "limits": {"maxDeletions": 2}}]}`,
		`{"targets": [` + target + `, "repositories": {"exclude": ["a"]}}]}`, `{"targets": [` + target + `, "policies": []}]}`,
		`{"targets": [` + target + `, "protect": {"keepNewest": 2}}]}`, `{"targets": [` + target + `, "orphans": "delete"}]}`, `{"targets": [` + target + `, "onExpire": "archive"}]}`,
		`{"targets": [` + organization + `}}]}`, `{"targets": [` + organization + `, "units": ["r-ab12"]}}]}`, `{"targets": [` + organization + `, "exclude": ["222222222222"]}}]}`,
		`{"targets": [` + bareOrganization + `{"roleArn": "arn:aws:iam::111111111111:role/a"}}]}`,
		`{"targets": [` + bareOrganization + `{"roleArn": "arn:aws:iam::111111111111:role/a", "externalId": "ab"}}]}`,
		`{"report": {"s3": "s3://a"}}`, `{"report": {"html": true}}`, `{"report": {"sns": "arn:a"}}`, `{"report": {"notify": "always"}}`,
	} {
		h := hash(t, mustParse(t, text))
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the same hash as %s", text, other)
		}
		seen[h] = text
	}
}

// Saved plans carry the hash, so it stays what it was before there were targets.
func TestHashWithoutTargets(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{}`, `{"targets": []}`, `{"fleet": {"listsMaxAgeMinutes": 60}}`} {
		equal(t, text, "sha256:1f62c53de87d8436dd0f4394d812ef6cdb8f7c6468a58e65a5c8d3de94d2c648", hash(t, mustParse(t, text)))
	}
}

func TestHashDoesNotDependOnThePrice(t *testing.T) {
	t.Parallel()
	equal(t, "hash", hash(t, mustParse(t, `{}`)), hash(t, mustParse(t, `{"price": 0.12}`)))
	document, err := mustParse(t, `{"price": 0.12}`).Document()
	if err != nil || !strings.Contains(string(document), `"price": 0.12`) {
		t.Errorf("the document is %s, %v", document, err)
	}
}

// A plan is made from a narrowed configuration and applied with another
// narrowing; both are the same configuration.
func TestNarrowingAndOverridingLeaveTheHashOfTheConfigurationAlone(t *testing.T) {
	t.Parallel()
	c := mustParse(t, string(corpus.File(t, "testdata/all.json")))
	want := hash(t, c)
	one := 1
	narrow(t, c, config.Request{
		Mode: config.Plan, Repositories: patterns("x"), MaxDeletions: &one, MaxDeletionsPerRepository: &one, MaxDeletedPercent: &one,
	})
	c.Override(&one, &one, &one)
	equal(t, "hash after Narrow and Override", want, hash(t, c))
	selected := narrow(t, c, config.Request{Repositories: patterns("x"), MaxDeletions: &one})
	equal(t, "hash with the selection and the budget of one run", want, hash(t, selected))
}

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
		`{"protect": {"regions": ["us-east-1"], "references": ["s3://b/p/"], "expect": ["222222222222/eu-west-1"]},
			"policies": [{"protect": {"inUse": []}}, {"protect": {"references": []}}, {"protect": {"regions": []}}], "targets": [` + target + `, "policies": [{}], "protect": {"inUse": []}}]}`,
		`{"orphans": "delete", "onExpire": "archive", "policies": [{"orphans": "keep", "onExpire": "delete"}], "report": {"s3": "s3://b/k", "notify": "always"}}`,
		`{"fleet": {"listsMaxAgeMinutes": 30}, "orphans": "delete", "limits": {"maxDeletions": 5}, "protect": {"kubeconfig": "k", "accounts": [` + account + `}]},
			"policies": [{"name": "a", "protect": {"keepNewest": 9}}, {"limits": {"maxDeletions": 4}}], "targets": [` + organization + `, "units": ["r-ab12"], "exclude": ["222222222222"]}},
			` + target + `, "externalId": "ab", "applyRoleArn": "arn:aws:iam::*:role/b", "orphans": "keep", "onExpire": "archive", "limits": {"maxDeletions": 4}, "repositories": {"include": ["a"]}},
			` + other + `, "protect": {"inUse": ["eks"], "references": ["s3://b/l"], "accounts": []}}]}`,
		`{"targets": [` + target + `, "policies": []}, ` + other + `, "policies": [{"name": "attached", "limits": {"maxDeletions": 10000}}]}]}`,
	} {
		c := mustParse(t, text)
		document, err := c.Document()
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("hash of %s, printed as\n%s\n", text, document), hash(t, c), hash(t, mustParse(t, string(document))))
	}
}

func TestDocumentLeavesOutWhatIsUsual(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"mode": "plan", "limits": {"maxDeletions": 10000}, "policies": [{"policy": "none", "name": "rest", "limits": {"maxDeletions": 7}}]}`)
	narrowed := narrow(t, c, config.Request{Repositories: patterns("x")})
	document, err := narrowed.Document()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"policies": [{"name": "rest", "repositories": ["*"], "policy": "none", "limits": {"maxDeletions": 7}}]}`
	equal(t, "document", strings.Fields(want), strings.Fields(compact(string(document))))
}

// compact puts an indented document on one line, as a person would write it.
func compact(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer("{ ", "{", " }", "}", "[ ", "[", " ]", "]").Replace(words)
}

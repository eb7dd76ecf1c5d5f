package config_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// The file holds every field with its documented default.
func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	want := config.Default()
	for name, text := range map[string]string{
		"every default spelt out": string(corpus.File(t, "testdata/defaults.json")),
		"empty document":          `{}`,
		"empty parts":             `{"repositories": {}, "policies": [{}], "protect": {}, "limits": {}, "report": {}}`,
	} {
		got := mustParse(t, text)
		equal(t, name, want, got)
		equal(t, name+": hash", hash(t, want), hash(t, got))
	}
}

func TestParseReadsEveryField(t *testing.T) {
	t.Parallel()
	aliases := reference.Aliases{
		"proxy.example.com:8443": {ID: "123456789012", Region: "eu-west-1"}, "hub/eu": {ID: "123456789012", Region: "eu-west-1", Prefix: "team"},
	}
	services := []string{"ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild", "bedrock-agentcore", "emr-serverless"}
	general := config.Settings{
		Protect: config.Protect{
			InUse:   services,
			Regions: []string{"us-east-1"},
			Accounts: []config.Account{
				{RoleARN: "arn:aws:iam::222222222222:role/a/b", ExternalID: "a-word", Regions: []string{"eu-west-1"}, InUse: []string{"eks"}},
				{RoleARN: "arn:aws:iam::444444444444:role/a", InUse: services},
			},
			References:              []string{"list.txt", "s3://bucket/lists/"},
			Expect:                  []string{"333333333333/eu-west-1"},
			TaskDefinitionRevisions: 9, EKSClusters: patterns("prod-*"), EKSResources: patterns("rollouts.argoproj.io"),
			ECS: config.ECS{FamilyDays: 90}, Kubeconfig: &config.Kubeconfig{Path: "kube.yaml", Contexts: []string{"prod"}}, TagPatterns: patterns("v*", "release"),
			KeepNewest: 4, PulledWithinDays: 30, PushedWithinHours: 48, ReferencesMaxAgeHours: 26, RegistryAliases: aliases,
		},
		Orphans: config.DeleteOrphans, OnExpire: config.ArchiveExpired,
		Limits: config.Limits{MaxDeletions: 0, MaxDeletionsPerRepository: 7, MaxDeletedPercent: 50},
	}
	own := config.Settings{
		Protect: config.Protect{
			InUse: []string{}, Regions: []string{}, Accounts: []config.Account{}, Expect: []string{},
			References: []string{"s3://b/r.txt"}, EKSClusters: patterns(), EKSResources: patterns(), TagPatterns: patterns(),
			ECS: config.ECS{FamilyDays: 7}, Kubeconfig: &config.Kubeconfig{Path: "kube.yaml", Contexts: []string{"prod"}},
			ReferencesMaxAgeHours: 12, RegistryAliases: aliases,
		},
		Orphans: config.KeepOrphans, OnExpire: config.DeleteExpired,
		Limits: config.Limits{MaxDeletions: 1, MaxDeletionsPerRepository: 2, MaxDeletedPercent: 0},
	}
	want := config.Config{
		Mode:         config.Apply,
		Repositories: config.Repositories{Include: patterns("team-*", "shared/*"), Exclude: patterns("*/cache")},
		Policies: []config.Entry{
			{
				Name: "nightly", Repositories: patterns("team-a/*"), RepositoryTags: map[string]string{"stage": "dev", "owner": "a"},
				Source: config.Inline, Policy: mustPolicy(t, keep3), Settings: own, OwnBudget: true,
			},
			{Name: "policies[1]", Repositories: patterns("shared/*"), Source: config.None, Settings: general},
		},
		Settings:   general,
		Report:     config.Report{S3: "s3://bucket/prefix", HTML: true, SNS: "arn:aws:sns:eu-west-1:123456789012:topic", Notify: "failures"},
		References: config.ListTarget{S3: "s3://bucket/lists/"},
		Fleet:      config.Fleet{ListsMaxAgeMinutes: 60, MaxRounds: 40},
		Price:      new(0.12),
	}
	equal(t, "Parse", want, mustParse(t, string(corpus.File(t, "testdata/all.json"))))
}

// Each document changes one field; everything else must keep its default.
func TestMissingFieldsHaveTheirDefaultsAtAnyLevel(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*config.Config){
		`{"mode": "apply"}`:                                        func(c *config.Config) { c.Mode = config.Apply },
		`{"repositories": {"include": ["a"]}}`:                     func(c *config.Config) { c.Repositories.Include = patterns("a") },
		`{"repositories": {"exclude": ["b", "c"]}}`:                func(c *config.Config) { c.Repositories.Exclude = patterns("b", "c") },
		`{"policies": []}`:                                         func(c *config.Config) { c.Policies = []config.Entry{} },
		`{"protect": {"inUse": []}}`:                               settings(func(s *config.Settings) { s.Protect.InUse = []string{} }),
		`{"protect": {"references": ["x"]}}`:                       settings(func(s *config.Settings) { s.Protect.References = []string{"x"} }),
		`{"protect": {"taskDefinitionRevisions": 1}}`:              settings(func(s *config.Settings) { s.Protect.TaskDefinitionRevisions = 1 }),
		`{"protect": {"ecs": {"rules": false, "familyDays": 30}}}`: settings(func(s *config.Settings) { s.Protect.ECS.Rules, s.Protect.ECS.FamilyDays = false, 30 }),
		`{"protect": {"eksResources": ["p*"]}}`:                    settings(func(s *config.Settings) { s.Protect.EKSResources = patterns("p*") }),
		`{"protect": {"kubeconfig": "k"}}`:                         settings(func(s *config.Settings) { s.Protect.Kubeconfig = &config.Kubeconfig{Path: "k", Contexts: []string{}} }),
		`{"protect": {"kubeconfig": {}}}`:                          settings(func(s *config.Settings) { s.Protect.Kubeconfig = &config.Kubeconfig{Contexts: []string{}} }),
		`{"protect": {"kubeconfig": {"path": "k", "contexts": ["a", "b"]}}}`: settings(func(s *config.Settings) {
			s.Protect.Kubeconfig = &config.Kubeconfig{Path: "k", Contexts: []string{"a", "b"}}
		}),
		`{"protect": {"eksClusters": ["p*"]}}`:             settings(func(s *config.Settings) { s.Protect.EKSClusters = patterns("p*") }),
		`{"protect": {"tagPatterns": []}}`:                 settings(func(s *config.Settings) { s.Protect.TagPatterns = patterns() }),
		`{"protect": {"keepNewest": 0}}`:                   settings(func(s *config.Settings) { s.Protect.KeepNewest = 0 }),
		`{"protect": {"pulledWithinDays": 0}}`:             settings(func(s *config.Settings) { s.Protect.PulledWithinDays = 0 }),
		`{"protect": {"pushedWithinHours": 2147483647}}`:   settings(func(s *config.Settings) { s.Protect.PushedWithinHours = 1<<31 - 1 }),
		`{"orphans": "delete"}`:                            settings(func(s *config.Settings) { s.Orphans = config.DeleteOrphans }),
		`{"onExpire": "archive"}`:                          settings(func(s *config.Settings) { s.OnExpire = config.ArchiveExpired }),
		`{"limits": {"maxDeletions": 0}}`:                  settings(func(s *config.Settings) { s.Limits.MaxDeletions = 0 }),
		`{"limits": {"maxDeletionsPerRepository": 5}}`:     settings(func(s *config.Settings) { s.Limits.MaxDeletionsPerRepository = 5 }),
		`{"limits": {"maxDeletedPercent": 0}}`:             settings(func(s *config.Settings) { s.Limits.MaxDeletedPercent = 0 }),
		`{"report": {"s3": "s3://b/k"}}`:                   func(c *config.Config) { c.Report.S3 = "s3://b/k" },
		`{"report": {"html": true}}`:                       func(c *config.Config) { c.Report.HTML = true },
		`{"report": {"sns": "arn:aws:sns:x"}}`:             func(c *config.Config) { c.Report.SNS = "arn:aws:sns:x" },
		`{"report": {"notify": "always"}}`:                 func(c *config.Config) { c.Report.Notify = "always" },
		`{"policies": [{"name": "n"}]}`:                    func(c *config.Config) { c.Policies[0].Name = "n" },
		`{"policies": [{"repositoryTags": {"a": "b"}}]}`:   func(c *config.Config) { c.Policies[0].RepositoryTags = map[string]string{"a": "b"} },
		`{"policies": [{"repositories": ["a/*", "b/*"]}]}`: func(c *config.Config) { c.Policies[0].Repositories = patterns("a/*", "b/*") },
	}
	for text, change := range tests {
		want := config.Default()
		change(&want)
		equal(t, "Parse("+text+")", want, mustParse(t, text))
	}
}

// settings returns a change of the general settings, which the one default entry has too.
func settings(change func(*config.Settings)) func(*config.Config) {
	return func(c *config.Config) {
		change(&c.Settings)
		change(&c.Policies[0].Settings)
	}
}

func TestParseRefusesWhatIsTooLong(t *testing.T) {
	t.Parallel()
	long := `{"mode": "plan"` + strings.Repeat(" ", config.MaxBytes) + `}`
	_, problems := config.Parse([]byte(long))
	want := []string{"1:1: has more than 1048576 bytes, which is the most that is read; shorten it"}
	equal(t, "problems", want, lines(problems))
	if _, problems := config.Parse([]byte(long[:15] + strings.Repeat(" ", config.MaxBytes-16) + `}`)); len(problems) > 0 {
		t.Errorf("a document of exactly the greatest length: %v", problems)
	}
}

// Default hands out nothing that a caller could change for the next one.
func TestDefaultIsFreshEachTime(t *testing.T) {
	t.Parallel()
	first := config.Default()
	first.Protect.InUse[0] = "changed"
	first.Policies[0].Name = "changed"
	first.Repositories.Include[0] = patterns("changed")[0]
	if c := config.Default(); c.Protect.InUse[0] != "ecs" || c.Policies[0].Name != "attached" || !c.Repositories.Select("x") {
		t.Errorf("Default() = %+v after another default was changed", c)
	}
}

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
		equal(t, name+": Unsupported", test.want, mustParse(t, test.text).Unsupported())
	}
}

func TestUnsupportedErrorNamesTheFields(t *testing.T) {
	t.Parallel()
	err := &config.UnsupportedError{Fields: []string{"a (set [])", "b (set 0)"}}
	equal(t, "Error()", "configuration: apply does not support these yet: a (set []); b (set 0)", err.Error())
}

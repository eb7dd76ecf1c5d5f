package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

const number = "must be from 0 to 2147483647, is "

// faulty are documents with one fault each, and what is said about it.
var faulty = map[string]struct{ text, want string }{
	"empty text":         {``, `1:1: is empty; a JSON object is expected`},
	"null":               {`null`, `1:1: must be an object, is null`},
	"array":              {`[]`, `1:1: must be an object, is an array`},
	"cut short":          {`{"mode": "plan"`, `1:16: ends too early: the JSON is cut short; add the rest`},
	"unknown field":      {`{"dryRun": true}`, `1:2: dryRun: is not a known key: use "mode", "repositories", "policies", "protect", "orphans", "onExpire", "limits", "report", "references", "targets", "fleet", "price", "$schema"`},
	"misspelt case":      {`{"limits": {"maxdeletions": 1}}`, `1:13: limits.maxdeletions: is not a known key: use "maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent" (case counts: "maxDeletions")`},
	"repeated field":     {`{"mode": "plan", "mode": "apply"}`, `1:18: mode: is given twice; keep one`},
	"repeated part":      {`{"limits": {}, "limits": {}}`, `1:16: limits: is given twice; keep one`},
	"repeated same list": {`{"repositories": {"include": "a", "include": ["b"]}}`, `1:35: repositories.include: is given twice; keep one`},

	"$schema no string": {`{"$schema": 1}`, `1:13: $schema: must be a string, is a number`},
	"$schema elsewhere": {`{"limits": {"$schema": ""}}`, `1:13: limits.$schema: is not a known key: use "maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent"`},

	"null mode":    {`{"mode": null}`, `1:10: mode: must be a string, is null; leave the key out instead`},
	"unknown mode": {`{"mode": "Apply"}`, `1:10: mode: "Apply" is not known: use "plan", "apply", "references" (case counts: "apply")`},

	"repositories as a list": {`{"repositories": ["*"]}`, `1:18: repositories: must be an object, is an array`},
	"unknown selection":      {`{"repositories": {"only": []}}`, `1:19: repositories.only: is not a known key: use "include", "exclude"`},
	"empty include":          {`{"repositories": {"include": []}}`, `1:30: repositories.include: is empty and selects nothing; leave it out for every repository`},
	"include no list":        {`{"repositories": {"include": "*"}}`, `1:30: repositories.include: must be an array, is a string`},
	"empty pattern":          {`{"repositories": {"include": [""]}}`, `1:31: repositories.include[0]: is empty; use * to match every name`},
	"pattern no string":      {`{"repositories": {"exclude": ["a", 1]}}`, `1:36: repositories.exclude[1]: must be a string, is a number`},
	"null in a list":         {`{"repositories": {"exclude": [null]}}`, `1:31: repositories.exclude[0]: must be a string, is null; leave the entry out instead`},

	"protect no object":    {`{"protect": []}`, `1:13: protect: must be an object, is an array`},
	"unknown protection":   {`{"protect": {"keep": 1}}`, `1:14: protect.keep: is not a known key: use "inUse", "regions", "accounts", "references", "expect", "taskDefinitionRevisions", "ecs", "eksClusters", "eksResources", "kubeconfig", "tagPatterns", "keepNewest", "pulledWithinDays", "pushedWithinHours", "referencesMaxAgeHours", "registryAliases" (did you mean keepNewest?)`},
	"no target of a list":  {`{"mode": "references"}`, `1:10: mode: needs the location of the list; add "references": {"s3": "s3://bucket/prefix/"}`},
	"accounts outside":     {`{"accounts": []}`, `1:2: accounts: belongs in "protect"; move it there`},
	"service, hyphenated":  {`{"protect": {"inUse": ["app-runner"]}}`, `1:24: protect.inUse[0]: "app-runner" is not known: use "ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild", "bedrock-agentcore", "emr-serverless" (did you mean apprunner?)`},
	"unknown service":      {`{"protect": {"inUse": ["ecs", "ec2"]}}`, `1:31: protect.inUse[1]: "ec2" is not known: use "ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild", "bedrock-agentcore", "emr-serverless" (did you mean ecs?)`},
	"services no list":     {`{"protect": {"inUse": "ecs"}}`, `1:23: protect.inUse: must be an array, is a string`},
	"reference no string":  {`{"protect": {"references": [true]}}`, `1:29: protect.references[0]: must be a string, is a boolean`},
	"negative revisions":   {`{"protect": {"taskDefinitionRevisions": -1}}`, `1:41: protect.taskDefinitionRevisions: ` + number + `-1`},
	"age of zero":          {`{"protect": {"referencesMaxAgeHours": 0}}`, `1:39: protect.referencesMaxAgeHours: must be from 1 to 87600, is 0`},
	"age beyond":           {`{"protect": {"referencesMaxAgeHours": 87601}}`, `1:39: protect.referencesMaxAgeHours: must be from 1 to 87600, is 87601`},
	"aliases no object":    {`{"protect": {"registryAliases": []}}`, `1:33: protect.registryAliases: must be an object, is an array`},
	"ecs no object":        {`{"protect": {"ecs": true}}`, `1:21: protect.ecs: must be an object, is a boolean`},
	"rules no boolean":     {`{"protect": {"ecs": {"rules": "no"}}}`, `1:31: protect.ecs.rules: must be a boolean, is a string`},
	"negative family days": {`{"protect": {"ecs": {"familyDays": -1}}}`, `1:36: protect.ecs.familyDays: ` + number + `-1`},
	"resources no list":    {`{"protect": {"eksResources": "*"}}`, `1:30: protect.eksResources: must be an array, is a string`},
	"contexts no list":     {`{"protect": {"kubeconfig": {"contexts": "prod"}}}`, `1:41: protect.kubeconfig.contexts: must be an array, is a string`},
	"own kubeconfig":       {`{"policies": [{"protect": {"kubeconfig": "k"}}]}`, `1:42: policies[0].protect.kubeconfig: belongs to the general protect: its clusters may use the images of every repository`},
	"alias no string":      {`{"protect": {"registryAliases": {"a": 1}}}`, `1:39: protect.registryAliases.a: must be a string, is a number`},
	"alias no registry":    {`{"protect": {"registryAliases": {"a": "b.example.com"}}}`, `1:39: protect.registryAliases.a: must be like 123456789012.dkr.ecr.eu-west-1.amazonaws.com or that and /prefix: the registry is not ACCOUNT.dkr.ecr.REGION.SUFFIX at its beginning`},
	"alias with a slash":   {`{"protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"}}}`, `1:39: protect.registryAliases.a: must be like 123456789012.dkr.ecr.eu-west-1.amazonaws.com or that and /prefix: "" is not the beginning of names of ECR repositories`},
	"alias of a scheme":    {`{"protect": {"registryAliases": {"https://a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}`, `1:47: protect.registryAliases["https://a"]: the key is not like proxy.example.com or proxy.example.com/prefix: leave out the scheme, the tag and the last slash`},
	"repeated alias":       {`{"protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}`, `1:87: protect.registryAliases.a: is given twice; keep one`},
	"alias of a registry":  {`{"protect": {"registryAliases": {"123456789012.dkr.ecr.eu-west-1.amazonaws.com": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}`, `1:82: protect.registryAliases["123456789012.dkr.ecr.eu-west-1.amazonaws.com"]: the key names an ECR registry itself, which needs no alias`},
	"alias twice":          {`{"protect": {"registryAliases": {"a.b": "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "A.b": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}`, `1:96: protect.registryAliases["A.b"]: is given twice, in another spelling; keep one`},
	"clusters no list":     {`{"protect": {"eksClusters": "*"}}`, `1:29: protect.eksClusters: must be an array, is a string`},
	"empty tag pattern":    {`{"protect": {"tagPatterns": [""]}}`, `1:30: protect.tagPatterns[0]: is empty; use * to match every name`},
	"negative count":       {`{"protect": {"keepNewest": -1}}`, `1:28: protect.keepNewest: ` + number + `-1`},
	"fraction":             {`{"protect": {"pulledWithinDays": 1.5}}`, `1:34: protect.pulledWithinDays: must be an integer from 0 to 2147483647, is 1.5`},
	"beyond 32 bits":       {`{"protect": {"pushedWithinHours": 2147483648}}`, `1:35: protect.pushedWithinHours: ` + number + `2147483648`},
	"number as a string":   {`{"limits": {"maxDeletions": "5"}}`, `1:29: limits.maxDeletions: must be a number, is a string`},
	"negative limit":       {`{"limits": {"maxDeletionsPerRepository": -5}}`, `1:42: limits.maxDeletionsPerRepository: ` + number + `-5`},
	"more than 100":        {`{"limits": {"maxDeletedPercent": 101}}`, `1:34: limits.maxDeletedPercent: must be from 0 to 100, is 101`},
	"negative percent":     {`{"limits": {"maxDeletedPercent": -1}}`, `1:34: limits.maxDeletedPercent: must be from 0 to 100, is -1`},
	"null limits":          {`{"limits": null}`, `1:12: limits: must be an object, is null; leave the key out instead`},
	"unknown orphans":      {`{"orphans": "remove"}`, `1:13: orphans: "remove" is not known: use "keep", "delete"`},
	"unknown onExpire":     {`{"onExpire": "keep"}`, `1:14: onExpire: "keep" is not known: use "delete", "archive"`},
	"report no object":     {`{"report": "s3://b"}`, `1:12: report: must be an object, is a string`},
	"unknown report field": {`{"report": {"S3": ""}}`, `1:13: report.S3: is not a known key: use "s3", "html", "sns", "notify" (case counts: "s3")`},
	"s3 no address":        {`{"report": {"s3": "bucket/key"}}`, `1:19: report.s3: must begin with s3:// or be empty, is "bucket/key"`},
	"s3 no string":         {`{"report": {"s3": 1}}`, `1:19: report.s3: must be a string, is a number`},
	"sns no topic":         {`{"report": {"sns": "topic"}}`, `1:20: report.sns: must begin with arn: or be empty, is "topic"`},
	"html as a string":     {`{"report": {"html": "yes"}}`, `1:21: report.html: must be a boolean, is a string`},
	"unknown notify":       {`{"report": {"notify": "never"}}`, `1:23: report.notify: "never" is not known: use "changes", "always", "failures"`},
}

func TestParseIsStrict(t *testing.T) {
	t.Parallel()
	for name, test := range faulty {
		_, problems := config.Parse([]byte(test.text))
		equal(t, name+": Parse("+test.text+")", []string{test.want}, lines(problems))
	}
}

// faultyEntries are documents with one fault in an entry.
var faultyEntries = map[string]struct{ text, want string }{
	"policies no list":     {`{"policies": {}}`, `1:14: policies: must be an array, is an object`},
	"null policies":        {`{"policies": null}`, `1:14: policies: must be an array, is null; leave the key out instead`},
	"entry no object":      {`{"policies": ["attached"]}`, `1:15: policies[0]: must be an object, is a string`},
	"unknown field":        {`{"policies": [{"repository": "a"}]}`, `1:16: policies[0].repository: is not a known key: use "name", "repositories", "repositoryTags", "policy", "protect", "limits", "onExpire", "orphans" (did you mean repositories?)`},
	"empty name":           {`{"policies": [{"name": ""}]}`, `1:24: policies[0].name: is empty; give the policy a name to find it in the report`},
	"name no string":       {`{"policies": [{"name": 7}]}`, `1:24: policies[0].name: must be a string, is a number`},
	"empty repositories":   {`{"policies": [{"repositories": []}]}`, `1:32: policies[0].repositories: is empty and selects nothing; leave it out for every repository`},
	"tags no object":       {`{"policies": [{"repositoryTags": ["a"]}]}`, `1:34: policies[0].repositoryTags: must be an object, is an array`},
	"tag no string":        {`{"policies": [{"repositoryTags": {"a": 1}}]}`, `1:40: policies[0].repositoryTags.a: must be a string, is a number`},
	"no tags":              {`{"policies": [{"repositoryTags": {}}]}`, `1:34: policies[0].repositoryTags: is empty and asks for no tag; leave it out`},
	"tag without key":      {`{"policies": [{"repositoryTags": {"": "a"}}]}`, `1:39: policies[0].repositoryTags[""]: no repository has such a tag: its key has from 1 to 128 characters, its value up to 256`},
	"repeated tag":         {`{"policies": [{"repositoryTags": {"a": "1", "a": "2"}}]}`, `1:45: policies[0].repositoryTags.a: is given twice; keep one`},
	"unknown policy":       {`{"policies": [{"policy": "Attached"}]}`, `1:26: policies[0].policy: "Attached" is not known: use "attached", "none" (case counts: "attached")`},
	"null policy":          {`{"policies": [{"policy": null}]}`, `1:26: policies[0].policy: must be an object, is null; leave the key out instead`},
	"policy as a list":     {`{"policies": [{"policy": []}]}`, `1:26: policies[0].policy: must be an object, is an array`},
	"own aliases":          {`{"policies": [{"protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}]}`, `1:47: policies[0].protect.registryAliases: belongs to the general protect: a host is the same for every repository`},
	"own unknown limit":    {`{"policies": [{"limits": {"max": 1}}]}`, `1:27: policies[0].limits.max: is not a known key: use "maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent" (did you mean maxDeletions?)`},
	"own limits no object": {`{"policies": [{"limits": 5}]}`, `1:26: policies[0].limits: must be an object, is a number`},
	"own protect":          {`{"policies": [{}, {"protect": {"keepNewest": "1"}}]}`, `1:46: policies[1].protect.keepNewest: must be a number, is a string`},
	"own orphans":          {`{"policies": [{"orphans": ""}]}`, `1:27: policies[0].orphans: "" is not known: use "keep", "delete"`},
	"own report":           {`{"policies": [{"report": {}}]}`, `1:16: policies[0].report: is not a known key: use "name", "repositories", "repositoryTags", "policy", "protect", "limits", "onExpire", "orphans"`},
	"policy fault": {
		"{\"policies\": [{\"policy\": {\"rules\": [\n  {\"rulePriority\": 1, \"selection\": {\"tagStatus\": \"any\", \"countType\": \"imageCountMoreThan\", \"countNumber\": 0},\n   \"action\": {\"type\": \"expire\"}}]}}]}",
		`2:107: policies[0].policy.rules[0].selection.countNumber: must be from 1 to 2147483647, is 0`,
	},
}

func TestParseIsStrictAboutEntries(t *testing.T) {
	t.Parallel()
	for name, test := range faultyEntries {
		_, problems := config.Parse([]byte(test.text))
		equal(t, name+": Parse("+test.text+")", []string{test.want}, lines(problems))
	}
}

func TestParseReportsAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := config.Parse([]byte(`{
  "mode": "aply",
  "policies": [
    {"policy": {"rules": []}, "protect": {"keepNewest": -1}},
    {"Name": "x", "policy": {"rules": [{"rulePriority": 1}]}}
  ],
  "limits": {"maxDeletedPercent": 200},
  "extra": {}
}`))
	want := []string{
		`2:11: mode: "aply" is not known: use "plan", "apply", "references" (did you mean apply?)`,
		`4:26: policies[0].policy.rules: must have from 1 to 50 rules, has 0`,
		`4:57: policies[0].protect.keepNewest: must be from 0 to 2147483647, is -1`,
		`5:6: policies[1].Name: is not a known key: use "name", "repositories", "repositoryTags", "policy", "protect", "limits", "onExpire", "orphans" (case counts: "name")`,
		`5:40: policies[1].policy.rules[0].selection: is missing`,
		`5:40: policies[1].policy.rules[0].action: is missing`,
		`7:35: limits.maxDeletedPercent: must be from 0 to 100, is 200`,
		`8:3: extra: is not a known key: use "mode", "repositories", "policies", "protect", "orphans", "onExpire", "limits", "report", "references", "targets", "fleet", "price", "$schema"`,
	}
	equal(t, "problems", want, lines(problems))
}

// A warning of a policy is one of the configuration, and no fault of it.
func TestParsePassesWarningsOfPoliciesOn(t *testing.T) {
	t.Parallel()
	c, problems := config.Parse([]byte(`{"policies": [{"policy": {"rules": [{"rulePriority": 1,
		"selection": {"tagStatus": "tagged", "tagPrefixList": ["a", "a"], "countType": "imageCountMoreThan", "countNumber": 1},
		"action": {"type": "expire"}}]}}]}`))
	want := []string{`2:63: policies[0].policy.rules[0].selection.tagPrefixList[1]: warning: "a" is in the list already; once is enough`}
	equal(t, "problems", want, lines(problems))
	equal(t, "error", nil, problems.Err())
	if len(c.Policies[0].Policy.Rules) != 1 {
		t.Errorf("a warning cost the policy its rule: %+v", c.Policies[0].Policy)
	}
}

// spellings are JSON numbers with their value as a count, or -1 if they are no valid count.
var spellings = map[string]int{
	"7": 7, "7.0": 7, "7.000": 7, "70e-1": 7, "0.7e1": 7, "0.07E+2": 7, "7e0": 7, "7E-0": 7,
	"7.5": -1, "7.0000000000000000000000000000001": -1, "7e-1": -1, "-7": -1, "7e400": -1, "7e99999999999999999999": -1, "1e-400": -1,
	"9223372036854775815": -1, "18446744073709551623": -1, "4294967303": -1, "4294967303.0": -1,
	"+7": -1, "07": -1, "7.": -1, ".7e1": -1, "0x7": -1, "7_0": -1, "NaN": -1, `"7"`: -1,
}

const rule = `{"rules": [{"rulePriority": %s, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": %s%s}, "action": {"type": "expire"}}]}`

// numberFields are all fields that are numbers, each with a document that has a place
// for the number and a function that reads the field.
var numberFields = map[string]struct {
	document string
	read     func(c config.Config) int
}{
	"limits.maxDeletions":               {`{"limits": {"maxDeletions": %s}}`, func(c config.Config) int { return c.Limits.MaxDeletions }},
	"limits.maxDeletionsPerRepository":  {`{"limits": {"maxDeletionsPerRepository": %s}}`, func(c config.Config) int { return c.Limits.MaxDeletionsPerRepository }},
	"limits.maxDeletedPercent":          {`{"limits": {"maxDeletedPercent": %s}}`, func(c config.Config) int { return c.Limits.MaxDeletedPercent }},
	"protect.taskDefinitionRevisions":   {`{"protect": {"taskDefinitionRevisions": %s}}`, func(c config.Config) int { return c.Protect.TaskDefinitionRevisions }},
	"protect.keepNewest":                {`{"protect": {"keepNewest": %s}}`, func(c config.Config) int { return c.Protect.KeepNewest }},
	"protect.pulledWithinDays":          {`{"protect": {"pulledWithinDays": %s}}`, func(c config.Config) int { return c.Protect.PulledWithinDays }},
	"protect.pushedWithinHours":         {`{"protect": {"pushedWithinHours": %s}}`, func(c config.Config) int { return c.Protect.PushedWithinHours }},
	"policies[0].limits.maxDeletions":   {`{"policies": [{"limits": {"maxDeletions": %s}}]}`, func(c config.Config) int { return c.Policies[0].Limits.MaxDeletions }},
	"policies[0].rules[0].rulePriority": {`{"policies": [{"policy": ` + fmt.Sprintf(rule, "%s", "1", "") + `}]}`, func(c config.Config) int { return c.Policies[0].Policy.Rules[0].RulePriority }},
	"policies[0].rules[0].countNumber":  {`{"policies": [{"policy": ` + fmt.Sprintf(rule, "1", "%s", "") + `}]}`, func(c config.Config) int { return c.Policies[0].Policy.Rules[0].Selection.CountNumber }},
	"policies[0].rules[0].keepNewest":   {`{"policies": [{"policy": ` + fmt.Sprintf(rule, "1", "5", `, "keepNewest": %s`) + `}]}`, func(c config.Config) int { return c.Policies[0].Policy.Rules[0].Selection.KeepNewest }},
}

// The parser, and editors with the schema, read a number exactly or refuse it.
func TestEveryNumberIsReadOrRefused(t *testing.T) {
	t.Parallel()
	schema := newValidator(t, "")
	for field, test := range numberFields {
		for spelling, want := range spellings {
			text := strings.ReplaceAll(test.document, "%s", spelling)
			c, problems := config.Parse([]byte(text))
			if got := problems.Err() == nil; got != (want >= 0) {
				t.Errorf("%s %s: %v", field, spelling, problems)
			} else if got && test.read(c) != want {
				t.Errorf("%s %s: read as %d", field, spelling, test.read(c))
			}
			// Editors read numbers as a float64, where a tiny fraction is lost.
			tiny := spelling == "7.0000000000000000000000000000001" || spelling == "1e-400"
			if accepted := schema.accepts([]byte(text)); accepted != (want >= 0) && !tiny {
				t.Errorf("%s %s: the schema accepts: %t", field, spelling, accepted)
			}
		}
	}
}

func TestEveryNumberOfARequestIsReadOrRefused(t *testing.T) {
	t.Parallel()
	for field, read := range map[string]func(config.Request) *int{
		"maxDeletions":              func(r config.Request) *int { return r.MaxDeletions },
		"maxDeletionsPerRepository": func(r config.Request) *int { return r.MaxDeletionsPerRepository },
		"maxDeletedPercent":         func(r config.Request) *int { return r.MaxDeletedPercent },
	} {
		for spelling, want := range spellings {
			r, problems := config.ParseRequest([]byte(`{"` + field + `": ` + spelling + `}`))
			if got := problems.Err() == nil; got != (want >= 0) || got && *read(r) != want {
				t.Errorf("%s %s: %v, %v", field, spelling, r, problems)
			}
		}
	}
}

// ECR does not accept 7.0 as an integer; a policy of the cleaner's configuration may have it.
func TestAnAttachedPolicyHasPlainNumbersOnly(t *testing.T) {
	t.Parallel()
	for spelling, want := range spellings {
		for field, text := range map[string]string{
			"rulePriority": fmt.Sprintf(rule, spelling, "1", ""),
			"countNumber":  fmt.Sprintf(rule, "1", spelling, ""),
		} {
			_, problems := lifecycle.Parse([]byte(text), lifecycle.AWS)
			equal(t, fmt.Sprintf("%s %s: valid", field, spelling), spelling == "7", problems.Err() == nil)
			policy, problems := lifecycle.Parse([]byte(text), lifecycle.Extended)
			if got := problems.Err() == nil; got != (want >= 0) || got && max(policy.Rules[0].RulePriority, policy.Rules[0].Selection.CountNumber) != want {
				t.Errorf("%s %s, extended: %v", field, spelling, problems)
			}
		}
	}
}

package config_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
)

// target begins a target in account 222222222222.
const target = `{"account": "222222222222", "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"`

// other is one in account 444444444444.
const other = `{"account": "444444444444", "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::444444444444:role/reader"`

// organization begins the target of an organization, and bareOrganization one without its role.
const (
	organization     = bareOrganization + `{"roleArn": "arn:aws:iam::111111111111:role/lists"`
	bareOrganization = `{"regions": ["eu-west-1", "us-east-1"], "roleArn": "arn:aws:iam::*:role/reader", "applyRoleArn": "arn:aws:iam::*:role/remover", "externalId": "secret", "organization": `
)

// faultyTargets are lists of targets with one fault, and what is said about it. The schema
// refuses those whose name does not begin with "more: ".
var faultyTargets = map[string]struct{ text, want string }{
	"no list":               {`{}`, `1:13: targets: must be an array, is an object`},
	"no object":             {`["222222222222"]`, `1:14: targets[0]: must be an object, is a string`},
	"unknown field":         {`[` + target + `, "role": "x"}]`, `1:120: targets[0].role: is not a known key: use "account", "organization", "regions", "roleArn", "applyRoleArn", "externalId", "repositories", "policies", "protect", "orphans", "onExpire", "limits" (did you mean roleArn?)`},
	"price":                 {`[` + target + `, "price": 1}]`, `1:120: targets[0].price: is not a known key: use "account", "organization", "regions", "roleArn", "applyRoleArn", "externalId", "repositories", "policies", "protect", "orphans", "onExpire", "limits"`},
	"mode":                  {`[` + target + `, "mode": "apply"}]`, `1:120: targets[0].mode: is not a known key: use "account", "organization", "regions", "roleArn", "applyRoleArn", "externalId", "repositories", "policies", "protect", "orphans", "onExpire", "limits"`},
	"no account":            {`[{"regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:14: targets[0]: names no account; add "account", or "organization" for the accounts of an organization`},
	"both":                  {`[` + organization + `}, "account": "222222222222"}]`, `1:14: targets[0]: has "account" and "organization"; keep one, and make a target of its own for the other`},
	"short account":         {`[{"account": "2222", "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:26: targets[0].account: must be like 222222222222, is "2222"`},
	"account a number":      {`[{"account": 222222222222, "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:26: targets[0].account: must be a string, is a number`},
	"no regions":            {`[{"account": "222222222222", "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:14: targets[0].regions: is missing; add the Regions of its registries, such as ["eu-west-1"]`},
	"empty regions":         {`[{"account": "222222222222", "regions": [], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:53: targets[0].regions: is empty; name the Regions of its registries, such as "eu-west-1"`},
	"malformed Region":      {`[{"account": "222222222222", "regions": ["*"], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:54: targets[0].regions[0]: must be like eu-west-1, is "*"`},
	"more: same Region":     {`[{"account": "222222222222", "regions": ["eu-west-1", "eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:67: targets[0].regions[1]: is repeated; keep one`},
	"no role":               {`[{"account": "222222222222", "regions": ["eu-west-1"]}]`, `1:14: targets[0].roleArn: is missing; add the ARN of the role in that account that reads`},
	"role is a user":        {`[{"account": "222222222222", "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:user/reader"}]`, `1:79: targets[0].roleArn: must be like arn:aws:iam::*:role/ecr-cleaner-reader, is "arn:aws:iam::222222222222:user/reader"`},
	"more: foreign role":    {`[{"account": "222222222222", "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::333333333333:role/reader"}]`, `1:79: targets[0].roleArn: is in account 333333333333; name a role in the target's account 222222222222`},
	"more: foreign remover": {`[` + target + `, "applyRoleArn": "arn:aws:iam::333333333333:role/remover"}]`, `1:136: targets[0].applyRoleArn: is in account 333333333333; name a role in the target's account 222222222222`},
	"more: same role":       {`[` + target + `, "applyRoleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:136: targets[0].applyRoleArn: is the role in "roleArn"; name another role, which may remove images, or leave it out`},
	"more: same, with star": {`[` + target + `, "applyRoleArn": "arn:aws:iam::*:role/reader"}]`, `1:136: targets[0].applyRoleArn: is the role in "roleArn"; name another role, which may remove images, or leave it out`},
	"external ID":           {`[` + target + `, "externalId": "§"}]`, `1:134: targets[0].externalId: must be 2 to 1224 letters, digits or characters of _+=,.@:/-`},
	"more: twice":           {`[` + target + `}, ` + target + `, "limits": {"maxDeletions": 1}}]`, `1:121: targets[1]: is a second target for 222222222222/eu-west-1; keep one`},
	"more: organizations":   {`[` + organization + `}}, ` + organization + `}}]`, `1:236: targets[1]: is a second organization; keep one`},
	"more: fixed account":   {`[{"organization": {"roleArn": "arn:aws:iam::111111111111:role/lists"}, "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:121: targets[0].roleArn: is in account 222222222222; a role of an organization is in each account: write * instead, as in arn:aws:iam::*:role/ecr-cleaner-reader`},
	"organization a string": {`[` + bareOrganization + `"o-1234567890"}]`, `1:182: targets[0].organization: must be an object, is a string`},
	"organization's field":  {`[` + organization + `, "id": "o-1234567890"}}]`, `1:234: targets[0].organization.id: is not a known key: use "roleArn", "externalId", "units", "exclude"`},
	"organization's role":   {`[` + bareOrganization + `{"roleArn": "arn:aws:iam::*:role/lists"}}]`, `1:194: targets[0].organization.roleArn: must be like arn:aws:iam::111111111111:role/ecr-cleaner-organization, is "arn:aws:iam::*:role/lists"`},
	"organization's ID":     {`[` + bareOrganization + `{"roleArn": "arn:aws:iam::111111111111:role/lists", "externalId": "?"}}]`, `1:248: targets[0].organization.externalId: must be 2 to 1224 letters, digits or characters of _+=,.@:/-`},
	"no role to list":       {`[` + bareOrganization + `{}}]`, `1:182: targets[0].organization.roleArn: is missing; add the ARN of the role that lists the accounts, which deploy/fleet-organization.yaml creates`},
	"malformed unit":        {`[` + organization + `, "units": ["Workloads"]}}]`, `1:244: targets[0].organization.units[0]: must be like ou-ab12-34cd56ef, is "Workloads"`},
	"no unit":               {`[` + organization + `, "units": []}}]`, `1:243: targets[0].organization.units: is empty; leave it out for the whole organization`},
	"more: same unit":       {`[` + organization + `, "units": ["r-ab12", "r-ab12"]}}]`, `1:254: targets[0].organization.units[1]: is repeated; keep one`},
	"malformed exclude":     {`[` + organization + `, "exclude": ["*"]}}]`, `1:246: targets[0].organization.exclude[0]: must be like 222222222222, is "*"`},
	"more: aliases":         {`[` + target + `, "protect": {"registryAliases": {"a": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}}]`, `1:151: targets[0].protect.registryAliases: belongs to the general protect: a host is the same for every repository`},
	"more: kubeconfig":      {`[` + target + `, "protect": {"kubeconfig": "k"}}]`, `1:146: targets[0].protect.kubeconfig: belongs to the general protect: its clusters may use the images of every repository`},
	"empty include":         {`[` + target + `, "repositories": {"include": []}}]`, `1:148: targets[0].repositories.include: is empty and selects nothing; leave it out for every repository`},
	"policy":                {`[` + target + `, "policies": [{"policy": "own"}]}]`, `1:144: targets[0].policies[0].policy: "own" is not known: use "attached", "none"`},
	"percent":               {`[` + target + `, "limits": {"maxDeletedPercent": 101}}]`, `1:152: targets[0].limits.maxDeletedPercent: must be from 0 to 100, is 101`},
}

func TestTargetsAreStrict(t *testing.T) {
	t.Parallel()
	schema := newValidator(t, "")
	for name, test := range faultyTargets {
		text := []byte(`{"targets": ` + test.text + `}`)
		_, problems := config.Parse(text)
		equal(t, name+": Parse("+string(text)+")", []string{test.want}, lines(problems))
		equal(t, name+": the schema accepts it", strings.HasPrefix(name, "more: "), schema.accepts(text))
	}
}

// The external ID is in no problem, wherever it is.
func TestProblemsDoNotQuoteExternalIDs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`[` + target + `, "externalId": "secret!"}]`, `[` + target + `, "externalId": ["secret!"]}]`,
		`[` + bareOrganization + `{"roleArn": "arn:aws:iam::111111111111:role/a", "externalId": "secret!"}}]`,
		`[` + target + `, "externalId": "secret!", "externalId": "secret!"}]`,
	} {
		_, problems := config.Parse([]byte(`{"targets": ` + text + `}`))
		if len(problems) == 0 || strings.Contains(strings.Join(lines(problems), " "), "secret") {
			t.Errorf("problems of %s: %q", text, lines(problems))
		}
	}
}

// member is an account in protect.accounts.
func member(id, role, more string) string {
	return `{"roleArn": "arn:aws:iam::` + id + `:role/` + role + `"` + more + `}`
}

// An execution asks an account through one role, whatever targets name it.
func TestAnAccountHasOneRoleInAllTargets(t *testing.T) {
	t.Parallel()
	own := func(role, more string) string {
		return `, "protect": {"accounts": [` + member("333333333333", role, more) + `]}}`
	}
	const refused = `targets: name more than one role or external ID for account 333333333333; give it the same ones everywhere`
	for text, want := range map[string][]string{
		`{"targets": [` + target + own("a", "") + `, ` + other + own("b", "") + `]}`:                             {`1:13: ` + refused},
		`{"targets": [` + target + own("a", "") + `, ` + other + own("a", `, "externalId": "ab"`) + `]}`:         {`1:13: ` + refused},
		`{"targets": [` + target + own("a", "") + `, ` + other + own("a", `, "inUse": ["eks"]`) + `]}`:           {},
		`{"protect": {"accounts": [` + member("222222222222", "other", "") + `]}, "targets": [` + target + `}]}`: {}, // the role of the target is used
		`{"protect": {"accounts": [` + member("333333333333", "a", "") + `]}, "policies": [{"protect": {"accounts": [` + member("333333333333", "b", "") + `]}}], "targets": [` + target + `}]}`: {
			`1:90: policies: name more than one role or external ID for account 333333333333; give it the same ones everywhere`,
		},
	} {
		_, problems := config.Parse([]byte(text))
		equal(t, "problems of "+text, want, lines(problems))
	}
}

// The general policies are read again for each target with settings of its own.
func TestProblemsOfGeneralPoliciesAreReportedOnce(t *testing.T) {
	t.Parallel()
	const limits = target + `, "limits": {"maxDeletions": 1}}`
	_, problems := config.Parse([]byte(`{"policies": [{"policy": {"rules": [{"rulePriority": 1,
		"selection": {"tagStatus": "tagged", "tagPrefixList": ["a", "a"], "countType": "imageCountMoreThan", "countNumber": 1},
		"action": {"type": "expire"}}]}}, {"name": ""}], "targets": [` + limits + `]}`))
	equal(t, "problems", []string{
		`2:63: policies[0].policy.rules[0].selection.tagPrefixList[1]: warning: "a" is in the list already; once is enough`,
		`3:46: policies[1].name: is empty; give the policy a name to find it in the report`,
	}, lines(problems))
	_, problems = config.Parse([]byte(`{"policies": [{"protect": {"regions": ["us-east-1"]}}], "targets": [` + target + `, "protect": {"inUse": []}}]}`))
	equal(t, "a problem in a target only", []string{
		`1:39: policies[0].protect.regions: has no service to query; name one in protect.inUse, or leave it out`,
		`1:69: targets[0]: does not suit the general policies, as the problems there say; give it "policies" of its own`,
	}, lines(problems))
}

func TestFieldsOfATargetReplaceTheGeneralOnes(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"mode": "apply", "price": 0.5, "orphans": "delete", "limits": {"maxDeletions": 5, "maxDeletedPercent": 50},
		"repositories": {"include": ["a*"], "exclude": ["ab"]}, "protect": {"keepNewest": 3, "tagPatterns": ["v*"], "registryAliases": {"a.b": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}},
		"policies": [{"name": "own", "repositories": ["x"], "limits": {"maxDeletions": 7}}, {"name": "rest", "protect": {"keepNewest": 4}}], "fleet": {"maxRounds": 3}, "targets": [
		`+target+`},
		{"account": "333333333333", "regions": ["eu-west-1", "us-east-1"], "roleArn": "arn:aws:iam::*:role/reader", "onExpire": "archive", "limits": {"maxDeletions": 6},
			"protect": {"tagPatterns": []}, "repositories": {"exclude": []}},
		{"account": "444444444444", "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::*:role/reader", "policies": [{"name": "only"}]}]}`)
	get := func(account, region string) config.Config {
		t.Helper()
		got, _, err := c.ForTarget(config.Place{Account: account, Region: region})
		if err != nil || got.Targets != nil || got.Mode != config.Apply || got.Fleet.MaxRounds != 3 || got.Price == nil || len(got.Protect.RegistryAliases) != 1 {
			t.Fatalf("the configuration for %s is %+v, %v", account, got, err)
		}
		return got
	}
	same := c
	same.Targets = nil
	equal(t, "without fields", hash(t, same), hash(t, get("222222222222", "eu-west-1")))
	want := mustParse(t, `{"mode": "apply", "orphans": "delete", "onExpire": "archive", "limits": {"maxDeletions": 6, "maxDeletedPercent": 50},
		"repositories": {"include": ["a*"]}, "protect": {"keepNewest": 3, "tagPatterns": [], "registryAliases": {"a.b": "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}},
		"policies": [{"name": "own", "repositories": ["x"], "limits": {"maxDeletions": 7}}, {"name": "rest", "protect": {"keepNewest": 4}}], "fleet": {"maxRounds": 3}}`)
	equal(t, "with fields", hash(t, want), hash(t, get("333333333333", "us-east-1")))
	equal(t, "with policies", 1, len(get("444444444444", "eu-west-1").Policies))
	_, _, err := c.ForTarget(config.Place{Account: "222222222222", Region: "us-east-1"})
	equal(t, "error", `target: the configuration has no target for 222222222222/us-east-1; add the account and Region to targets, or correct the request`, err.Error())
}

func TestTheRolesOfATarget(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"targets": [`+organization+`, "exclude": ["555555555555"]}}, `+target+`, "applyRoleArn": "arn:aws:iam::*:role/own"}]}`)
	for place, want := range map[string]string{
		"222222222222/eu-west-1": "arn:aws:iam::222222222222:role/reader arn:aws:iam::222222222222:role/own ",
		"222222222222/us-east-1": "arn:aws:iam::222222222222:role/reader arn:aws:iam::222222222222:role/remover secret",
		"333333333333/eu-west-1": "arn:aws:iam::333333333333:role/reader arn:aws:iam::333333333333:role/remover secret",
		"555555555555/eu-west-1": "  ",
		"333333333333/eu-west-2": "  ",
	} {
		account, region, _ := strings.Cut(place, "/")
		_, access, err := c.ForTarget(config.Place{Account: account, Region: region})
		equal(t, place, want, access.RoleARN+" "+access.ApplyRoleARN+" "+access.ExternalID)
		equal(t, place+": not a target", want == "  ", err != nil)
	}
}

func TestTheExamplesOfTargetsAreRight(t *testing.T) {
	t.Parallel()
	for page, heading := range map[string]string{"configuration.md": "## Targets and fleet", "fleet.md": "# The fleet"} {
		_, section, _ := strings.Cut(string(corpus.File(t, "../../docs/"+page)), heading)
		_, example, _ := strings.Cut(section, "```json\n")
		example, _, _ = strings.Cut(example, "```")
		c := mustParse(t, example)
		equal(t, page+" has one target for an account, and one for an organization", true, len(c.Targets) == 2 && c.Targets[1].Organization != nil)
		for _, target := range c.Targets {
			equal(t, page+": the roles of deploy/fleet-member.yaml need an external ID", true, target.ExternalID != "" && target.ApplyRoleARN != "")
		}
		equal(t, "the schema accepts "+page, true, newValidator(t, "").accepts([]byte(example)))
	}
}

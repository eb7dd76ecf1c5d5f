package config_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// target begins a target in account 222222222222.
const target = `{"account": "222222222222", "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"`

// organization begins the target of an organization.
const organization = `{"regions": ["eu-west-1", "us-east-1"], "roleArn": "arn:aws:iam::*:role/reader", "applyRoleArn": "arn:aws:iam::*:role/remover", "externalId": "secret", "organization": `

// faultyTargets are lists of targets with one fault, and what is said about it. The schema
// refuses those whose name does not begin with "more: ".
var faultyTargets = map[string]struct{ text, want string }{
	"no list":               {`{}`, `1:13: targets: must be an array, is an object`},
	"no object":             {`["222222222222"]`, `1:14: targets[0]: must be an object, is a string`},
	"unknown field":         {`[` + target + `, "role": "x"}]`, `1:120: targets[0].role: is not a known key: use "account", "organization", "regions", "roleArn", "applyRoleArn", "externalId", "repositories", "policies", "protect", "orphans", "onExpire", "limits" (did you mean roleArn?)`},
	"price":                 {`[` + target + `, "price": 1}]`, `1:120: targets[0].price: is not a known key: use "account", "organization", "regions", "roleArn", "applyRoleArn", "externalId", "repositories", "policies", "protect", "orphans", "onExpire", "limits"`},
	"mode":                  {`[` + target + `, "mode": "apply"}]`, `1:120: targets[0].mode: is not a known key: use "account", "organization", "regions", "roleArn", "applyRoleArn", "externalId", "repositories", "policies", "protect", "orphans", "onExpire", "limits"`},
	"no account":            {`[{"regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:14: targets[0]: names no account; add "account", or "organization" for the accounts of an organization`},
	"both":                  {`[` + organization + `{}, "account": "222222222222"}]`, `1:14: targets[0]: has "account" and "organization"; keep one, and make a target of its own for the other`},
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
	"more: organizations":   {`[` + organization + `{}}, ` + organization + `{}}]`, `1:187: targets[1]: is a second organization; keep one`},
	"more: fixed account":   {`[{"organization": {}, "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"}]`, `1:72: targets[0].roleArn: is in account 222222222222; a role of an organization is in each account: write * instead, as in arn:aws:iam::*:role/ecr-cleaner-reader`},
	"organization a string": {`[` + organization + `"o-1234567890"}]`, `1:182: targets[0].organization: must be an object, is a string`},
	"organization's field":  {`[` + organization + `{"id": "o-1234567890"}}]`, `1:183: targets[0].organization.id: is not a known key: use "roleArn", "externalId", "units", "exclude"`},
	"organization's role":   {`[` + organization + `{"roleArn": "arn:aws:iam::*:role/lists"}}]`, `1:194: targets[0].organization.roleArn: must be like arn:aws:iam::111111111111:role/ecr-cleaner-organization, is "arn:aws:iam::*:role/lists"`},
	"organization's ID":     {`[` + organization + `{"roleArn": "arn:aws:iam::111111111111:role/lists", "externalId": "?"}}]`, `1:248: targets[0].organization.externalId: must be 2 to 1224 letters, digits or characters of _+=,.@:/-`},
	"ID without role":       {`[` + organization + `{"externalId": "secret"}}]`, `1:197: targets[0].organization.externalId: is of no use without "roleArn"; add the role, or leave it out`},
	"malformed unit":        {`[` + organization + `{"units": ["Workloads"]}}]`, `1:193: targets[0].organization.units[0]: must be like ou-ab12-34cd56ef, is "Workloads"`},
	"no unit":               {`[` + organization + `{"units": []}}]`, `1:192: targets[0].organization.units: is empty; leave it out for the whole organization`},
	"more: same unit":       {`[` + organization + `{"units": ["r-ab12", "r-ab12"]}}]`, `1:203: targets[0].organization.units[1]: is repeated; keep one`},
	"malformed exclude":     {`[` + organization + `{"exclude": ["*"]}}]`, `1:195: targets[0].organization.exclude[0]: must be like 222222222222, is "*"`},
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

package config_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// account begins an entry of protect.accounts.
const account = `{"roleArn": "arn:aws:iam::222222222222:role/path/member"`

// faultyPlaces are objects protect with one fault, and what is said about it. The schema of
// the configuration refuses those whose name does not begin with "more: ".
var faultyPlaces = map[string]struct{ text, want string }{
	"regions no list":      {`{"regions": "us-east-1"}`, `1:25: protect.regions: must be an array, is a string`},
	"region no string":     {`{"regions": [1]}`, `1:26: protect.regions[0]: must be a string, is a number`},
	"zone":                 {`{"regions": ["eu-west-1a"]}`, `1:26: protect.regions[0]: must be like eu-west-1, is "eu-west-1a"`},
	"empty region":         {`{"regions": [""]}`, `1:26: protect.regions[0]: must be like eu-west-1, is ""`},
	"more: same Region":    {`{"regions": ["us-east-1", "us-east-1"]}`, `1:39: protect.regions[1]: is repeated; keep one`},
	"more: idle Regions":   {`{"inUse": [], "regions": ["us-east-1"]}`, `1:38: protect.regions: has no service to query; name one in protect.inUse, or leave it out`},
	"accounts no list":     {`{"accounts": {}}`, `1:26: protect.accounts: must be an array, is an object`},
	"account no object":    {`{"accounts": ["222222222222"]}`, `1:27: protect.accounts[0]: must be an object, is a string`},
	"no role":              {`{"accounts": [{}]}`, `1:27: protect.accounts[0]: has no "roleArn"; add the ARN of the role in that account`},
	"unknown field":        {`{"accounts": [` + account + `, "role": "x"}]}`, `1:85: protect.accounts[0].role: is not a known key: use "roleArn", "externalId", "regions", "inUse" (did you mean roleArn?)`},
	"role no string":       {`{"accounts": [{"roleArn": 1}]}`, `1:39: protect.accounts[0].roleArn: must be a string, is a number`},
	"role is a user":       {`{"accounts": [{"roleArn": "arn:aws:iam::222222222222:user/a"}]}`, `1:39: protect.accounts[0].roleArn: must be like arn:aws:iam::222222222222:role/ecr-cleaner-member, is "arn:aws:iam::222222222222:user/a"`},
	"role is a session":    {`{"accounts": [{"roleArn": "arn:aws:sts::222222222222:assumed-role/a/b"}]}`, `1:39: protect.accounts[0].roleArn: must be like arn:aws:iam::222222222222:role/ecr-cleaner-member, is "arn:aws:sts::222222222222:assumed-role/a/b"`},
	"external ID, short":   {`{"accounts": [` + account + `, "externalId": "§"}]}`, `1:99: protect.accounts[0].externalId: must be 2 to 1224 letters, digits or characters of _+=,.@:/-`},
	"external ID, long":    {`{"accounts": [` + account + `, "externalId": "` + strings.Repeat("x", 1225) + `"}]}`, `1:99: protect.accounts[0].externalId: must be 2 to 1224 letters, digits or characters of _+=,.@:/-`},
	"external ID no text":  {`{"accounts": [` + account + `, "externalId": 12}]}`, `1:99: protect.accounts[0].externalId: must be a string, is a number`},
	"no Region":            {`{"accounts": [` + account + `, "regions": []}]}`, `1:96: protect.accounts[0].regions: is empty; leave it out for the Region of the registry`},
	"malformed Region":     {`{"accounts": [` + account + `, "regions": ["*"]}]}`, `1:97: protect.accounts[0].regions[0]: must be like eu-west-1, is "*"`},
	"unknown service":      {`{"accounts": [` + account + `, "inUse": ["ec2"]}]}`, `1:95: protect.accounts[0].inUse[0]: "ec2" is not known: use "ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild", "bedrock-agentcore", "emr-serverless" (did you mean ecs?)`},
	"more: second role":    {`{"accounts": [` + account + `}, {"roleArn": "arn:aws:iam::222222222222:role/b"}]}`, `1:86: protect.accounts[1]: is a second role in account 222222222222; keep one, with all regions and services`},
	"more: idle account":   {`{"accounts": [` + account + `, "inUse": []}]}`, `1:26: protect.accounts: has no service to query in account 222222222222; name one in its "inUse", or remove the account`},
	"more: idle too":       {`{"inUse": [], "accounts": [` + account + `}]}`, `1:39: protect.accounts: has no service to query in account 222222222222; name one in its "inUse", or remove the account`},
	"expect no place":      {`{"references": ["s3://b/p/"], "expect": ["222222222222"]}`, `1:54: protect.expect[0]: must be like 222222222222/eu-west-1, is "222222222222"`},
	"more: same list":      {`{"references": ["s3://b/p/"], "expect": ["222222222222/eu-west-1", "222222222222/eu-west-1"]}`, `1:80: protect.expect[1]: is repeated; keep one`},
	"more: nothing there":  {`{"references": ["s3://b/p/"]}`, `1:28: protect.references: has a prefix, and protect.expect names no list that must be there; add "expect": ["222222222222/eu-west-1"]`},
	"more: two prefixes":   {`{"references": ["s3://b/p/", "s3://b/q/"], "expect": ["222222222222/eu-west-1"]}`, `1:28: protect.references: has more than one prefix; keep one`},
	"more: without prefix": {`{"references": ["s3://b/p"], "expect": ["222222222222/eu-west-1"]}`, `1:52: protect.expect: is of no use without a prefix such as s3://bucket/prefix/ in protect.references; add it`},
}

func TestPlacesAreStrict(t *testing.T) {
	t.Parallel()
	schema := newValidator(t, "")
	for name, test := range faultyPlaces {
		text := []byte(`{"protect": ` + test.text + `}`)
		_, problems := config.Parse(text)
		equal(t, name+": Parse("+string(text)+")", []string{test.want}, lines(problems))
		equal(t, name+": the schema accepts it", strings.HasPrefix(name, "more: "), schema.accepts(text))
	}
}

func TestInRegion(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"protect": {"inUse": ["ecs", "lambda"], "regions": ["us-east-1", "eu-west-1"], "references": ["a"],
		"accounts": [`+account+`, "inUse": ["eks"]}, {"roleArn": "arn:aws:iam::333333333333:role/a", "regions": ["us-east-1", "eu-north-1"]}]},
		"policies": [{"name": "same"}, {"name": "own", "protect": {"inUse": ["batch"], "accounts": [`+account+`}]}},
			{"name": "none", "protect": {"inUse": [], "regions": [], "accounts": [], "references": []}}]}`)
	before := hash(t, c)
	here := c.InRegion("eu-west-1")
	equal(t, "hash of the receiver", before, hash(t, c))
	general := "ecs lambda ecs@us-east-1 lambda@us-east-1 eks@222222222222/eu-west-1 ecs@333333333333/us-east-1 " +
		"lambda@333333333333/us-east-1 ecs@333333333333/eu-north-1 lambda@333333333333/eu-north-1 a"
	for name, test := range map[string]struct {
		protect config.Protect
		want    string
	}{
		"general":                 {here.Protect, general},
		"entry":                   {here.Policies[0].Protect, general},
		"entry with own accounts": {here.Policies[1].Protect, "batch batch@us-east-1 batch@222222222222/eu-west-1 a"},
		"entry without sources":   {here.Policies[2].Protect, ""},
		"other Region":            {c.InRegion("us-east-1").Policies[1].Protect, "batch batch@eu-west-1 batch@222222222222/us-east-1 a"},
	} {
		equal(t, name, test.want, strings.Join(test.protect.Sources(), " "))
	}
	equal(t, "after InRegion twice", here, here.InRegion("eu-west-1"))
}

// A scan queries what any entry names. An account is there once, unless its settings differ.
func TestInUseHasTheAccountsOfAllEntries(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"protect": {"inUse": ["ecs"], "accounts": [`+account+`}]}, "policies": [{}, {"protect": {"regions": ["us-east-1"]}},
		{"protect": {"accounts": [`+account+`, "inUse": ["eks"]}, {"roleArn": "arn:aws-cn:iam::333333333333:role/a"}]}}]}`)
	c = c.InRegion("eu-west-1")
	equal(t, "accounts", []config.Account{
		{RoleARN: "arn:aws:iam::222222222222:role/path/member", Regions: []string{"eu-west-1"}, InUse: []string{"ecs"}},
		{RoleARN: "arn:aws:iam::222222222222:role/path/member", Regions: []string{"eu-west-1"}, InUse: []string{"eks"}},
		{RoleARN: "arn:aws-cn:iam::333333333333:role/a", Regions: []string{"eu-west-1"}, InUse: []string{"ecs"}},
	}, c.InUse().Accounts)
	equal(t, "regions", []string{"us-east-1"}, c.InUse().Regions)
}

// One scan queries an account through one role.
func TestAnAccountHasOneRole(t *testing.T) {
	t.Parallel()
	for _, second := range []string{`"roleArn": "arn:aws:iam::222222222222:role/b"`, strings.TrimPrefix(account, "{") + `, "externalId": "ab"`} {
		_, problems := config.Parse([]byte(`{"protect": {"accounts": [` + account + `}]}, "policies": [{}, {"protect": {"accounts": [{` + second + `}]}}]}`))
		equal(t, "problems", []string{`1:100: policies: name more than one role or external ID for account 222222222222; give it the same ones everywhere`}, lines(problems))
	}
}

// An entry that expects no list below an inherited prefix would never miss one.
func TestAnEntryExpectsListsOfAPrefix(t *testing.T) {
	t.Parallel()
	_, problems := config.Parse([]byte(`{"protect": {"references": ["s3://b/p/"], "expect": ["222222222222/eu-west-1"]}, "policies": [{"protect": {"expect": []}}]}`))
	equal(t, "problems", []string{`1:118: policies[0].protect.expect: names no list that must be there, and protect.references has a prefix; ` +
		`name one, such as "222222222222/eu-west-1"`}, lines(problems))
}

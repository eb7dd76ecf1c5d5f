package plan_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// What an account uses that may pull, and of which an execution has no list, is not known. Its
// repository is skipped, every other one is cleaned, and the run is complete.
func TestARepositoryOfAnUnlistedAccountIsSkipped(t *testing.T) {
	t.Parallel()
	const (
		inOrganization = `"*"}, {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-ours"}}, "Principal": "*"`
		todo           = " pull, and no list has the images that they use in this Region; add their accounts to protect.accounts, " +
			"or a list of these images to protect.references, or take them out of the policy"
	)
	limited := strings.Replace(admitting(`"*"`), `"Principal"`, `"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-ours"}}, "Principal"`, 1)
	lists := inuse.Scan{Listed: []string{accountB}, Counts: map[string]int{"fleet": 1}}
	organization := lists
	organization.Organization = "o-ours"
	for name, test := range map[string]struct {
		settings string // of protect
		registry string // the registry's policy
		policy   string // of the repository app
		scan     inuse.Scan
		code     plan.SkipCode
		message  string
	}{
		"no policy":                         {scan: lists},
		"a listed account":                  {policy: admitting(`{"AWS": "222222222222"}`), scan: lists},
		"the registry's account":            {policy: admitting(`{"AWS": "arn:aws:iam::` + fixture.Account + `:root"}`), scan: lists},
		"another account":                   {policy: admitting(`{"AWS": ["222222222222", "333333333333"]}`), scan: lists, code: plan.SkipUnlistedAccount, message: `the repository policy lets AWS "333333333333"` + todo},
		"in the registry's policy":          {registry: admitting(`{"AWS": "333333333333"}`), scan: lists, code: plan.SkipUnlistedAccount, message: `the registry policy lets AWS "333333333333"` + todo},
		"everyone":                          {policy: admitting(`"*"`), scan: organization, code: plan.SkipUnlistedAccount, message: `the repository policy lets AWS "*"` + todo},
		"the organization":                  {policy: limited, scan: organization},
		"everyone beside the organization":  {policy: `{"Statement": [{"Effect": "Allow", "Action": "*", "Principal": ` + inOrganization + `}]}`, scan: organization, code: plan.SkipUnlistedAccount, message: `the repository policy lets AWS "*"` + todo},
		"an organization in part":           {policy: limited, scan: lists, code: plan.SkipUnlistedAccount, message: `the repository policy lets AWS "*"` + todo},
		"no JSON":                           {policy: "{", scan: lists, code: plan.SkipUnlistedAccount, message: "the repository policy lets unknown principals (the policy cannot be read)" + todo},
		"an expected list below the prefix": {settings: `"inUse": ["ecs"], "references": ["s3://b/p/"], "expect": ["333333333333/eu-west-1"]`, policy: admitting(`{"AWS": "333333333333"}`), scan: lists},
		"a list of any account":             {settings: `"inUse": ["ecs"], "references": ["s3://b/l"]`, policy: admitting(`"*"`), scan: lists},
		"no lists of the fleet":             {settings: `"inUse": []`, policy: admitting(`"*"`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(scanned, `"inUse": ["ecs", "lambda"]`, cmp.Or(test.settings, `"inUse": ["ecs"]`), 1)
			registry, r := newRegistry(t, text)
			r.Config = r.Config.WithFleetLists()
			registry.CreateRepository("web")
			fixture.Push(registry, 9*day, fakeecr.Image{})
			registry.Put("web", fakeecr.Image{PushedAt: now.Add(-9 * day)})
			registry.SetRegistryPolicy(test.registry)
			registry.SetRepositoryPolicy("app", test.policy)
			scans(&r, test.scan)
			result := run(t, &r)
			app := result.Repositories[0]
			awstest.Equal(t, "app is skipped", test.code, app.Skipped)
			awstest.Equal(t, "message", test.message, app.Message)
			awstest.Equal(t, "images left in app", test.code != "", len(registry.Images("app")) == 1)
			awstest.Equal(t, "images left in web", test.registry != "", len(registry.Images("web")) == 1)
			awstest.Equal(t, "incomplete", false, result.Incomplete)
		})
	}
}

// A policy that ECR does not give is a failure, because another run may read it.
func TestAPolicyThatIsDeniedIsAFailure(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"GetRegistryPolicy", "GetRepositoryPolicy"} {
		registry, r := newRegistry(t, scanned)
		r.Config = r.Config.WithFleetLists()
		fixture.Push(registry, 9*day, fakeecr.Image{})
		registry.Fail(call, "", "AccessDeniedException")
		scans(&r, inuse.Scan{Counts: map[string]int{"fleet": 1}})
		app := run(t, &r).Repositories[0]
		if app.Skipped != plan.SkipScanFailed || !strings.Contains(app.Message, "ecr:"+call) || len(registry.Images("app")) != 1 {
			t.Errorf("%s: skipped %q, %s", call, app.Skipped, app.Message)
		}
	}
}

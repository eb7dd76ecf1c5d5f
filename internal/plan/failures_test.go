package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const (
	accountB = "222222222222"
	accountC = "333333333333"
	sourceB  = "ecs@222222222222/eu-west-1"
	deniedB  = "in-use scan: " + sourceB + ": assume role: denied"
)

// twoAccounts is a configuration that queries ECS in two other accounts.
var twoAccounts = strings.Replace(scanned, `"inUse": ["ecs", "lambda"]`, `"inUse": ["ecs"], "accounts": [
	{"roleArn": "arn:aws:iam::222222222222:role/member", "regions": ["eu-west-1"]},
	{"roleArn": "arn:aws:iam::333333333333:role/member", "regions": ["eu-west-1"]}]`, 1)

// admitting returns a policy that lets the principal pull.
func admitting(principal string) string {
	return `{"Statement": [{"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": ` + principal + `}]}`
}

// useBy returns a use of an image that is not in the registry by a workload of account B.
func useBy(by string, ref reference.Reference) inuse.Use {
	return inuse.Use{Reference: ref, By: by, Source: sourceB, Account: accountB}
}

func of(repository string) reference.Reference {
	return reference.Reference{RegistryID: fixture.Account, Region: "eu-west-1", Repository: repository, Tag: "gone"}
}

func failureOf(account string) []inuse.Failure {
	return []inuse.Failure{{Source: sourceB, Err: errors.New("assume role: denied"), Account: account}}
}

// A failed source of an account keeps the repositories that this account may use, and
// everything else is removed.
func TestAFailedAccountKeepsWhatItMayUse(t *testing.T) {
	t.Parallel()
	const named = "; account 222222222222 has used an image of it: "
	admits := map[string]string{"app": "; its repository policy may let account 222222222222 pull"}
	everywhere := func(why string) map[string]string { return map[string]string{"app": why, "web": why} }
	for name, c := range map[string]struct {
		arrange func(*fakeecr.Server)
		scan    inuse.Scan
		kept    map[string]string // the end of the message of each skipped repository
	}{
		"no policies": {nil, inuse.Scan{Failed: failureOf(accountB)}, nil},
		"a policy for B": {
			func(s *fakeecr.Server) { s.SetRepositoryPolicy("app", admitting(`{"AWS": "222222222222"}`)) },
			inuse.Scan{Failed: failureOf(accountB)},
			admits,
		},
		"a policy for a service": {
			func(s *fakeecr.Server) { s.SetRepositoryPolicy("app", admitting(`{"Service": "x"}`)) },
			inuse.Scan{Failed: failureOf(accountB)},
			admits,
		},
		"an unreadable policy": {
			func(s *fakeecr.Server) { s.SetRepositoryPolicy("app", "{") }, inuse.Scan{Failed: failureOf(accountB)}, admits,
		},
		"a policy for C only": {
			func(s *fakeecr.Server) { s.SetRepositoryPolicy("app", admitting(`{"AWS": "333333333333"}`)) },
			inuse.Scan{Failed: failureOf(accountB)},
			nil,
		},
		"the second of two failed accounts": {
			func(s *fakeecr.Server) { s.SetRepositoryPolicy("app", admitting(`{"AWS": "222222222222"}`)) },
			inuse.Scan{Failed: append([]inuse.Failure{{Source: "ecs@333333333333/eu-west-1", Err: errors.New("x"), Account: accountC}}, failureOf(accountB)...)},
			admits,
		},
		"a failed source that the entry does not have": {
			nil, inuse.Scan{Failed: []inuse.Failure{{Source: "other", Err: errors.New("x")}}}, nil,
		},
		"the registry's policy": {
			func(s *fakeecr.Server) { s.SetRegistryPolicy(admitting(`"*"`)) },
			inuse.Scan{Failed: failureOf(accountB)},
			everywhere("; the registry policy may let account 222222222222 pull"),
		},
		"a registry's policy for C only": {
			func(s *fakeecr.Server) { s.SetRegistryPolicy(admitting(`{"AWS": "333333333333"}`)) },
			inuse.Scan{Failed: failureOf(accountB)},
			nil,
		},
		"a registry's policy that is denied": {
			func(s *fakeecr.Server) { s.Fail("GetRegistryPolicy", "", "AccessDeniedException") },
			inuse.Scan{Failed: failureOf(accountB)},
			everywhere("ecr:GetRegistryPolicy"),
		},
		"a repository's policy that is denied": {
			func(s *fakeecr.Server) { s.Fail("GetRepositoryPolicy", "web", "AccessDeniedException") },
			inuse.Scan{Failed: failureOf(accountB)},
			map[string]string{"web": "ecr:GetRepositoryPolicy"},
		},
		"a use of the failed source": {
			nil,
			inuse.Scan{Failed: failureOf(accountB), Uses: []inuse.Use{useBy("list:1", of("web"))}},
			map[string]string{"web": named + "list:1"},
		},
		"a use on another host": {
			nil,
			inuse.Scan{Failed: failureOf(accountB), Uses: []inuse.Use{useBy("pod", reference.Reference{Host: "p.example.com", Repository: "team/web", Tag: "v1"})}},
			map[string]string{"web": named + "pod"},
		},
		"a use of another account": {
			nil, inuse.Scan{Failed: failureOf(accountC), Uses: []inuse.Use{useBy("task", of("web"))}}, nil,
		},
		"a use of a digest that is nowhere": {
			nil, inuse.Scan{Failed: failureOf(accountB), Uses: []inuse.Use{useBy("pod", reference.Reference{Digest: awstest.Digest(7)})}}, nil,
		},
		"the registry's own account": {nil, inuse.Scan{Failed: failureOf(fixture.Account)}, everywhere("")},
		"no account":                 {nil, inuse.Scan{Failed: failureOf("")}, everywhere("")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry, r := newRegistry(t, twoAccounts)
			registry.CreateRepository("web")
			fixture.Push(registry, 9*day, fakeecr.Image{})
			registry.Put("web", fakeecr.Image{PushedAt: now.Add(-9 * day)})
			if c.arrange != nil {
				c.arrange(registry)
			}
			scans(&r, c.scan)
			result := run(t, &r)
			for _, repository := range result.Repositories {
				why, kept := c.kept[repository.Name]
				if left := len(registry.Images(repository.Name)); left == 1 != kept || (repository.Skipped == plan.SkipScanFailed) != kept {
					t.Errorf("%s: %d images are left, skipped %q, %s", repository.Name, left, repository.Skipped, repository.Message)
				}
				if kept && (!strings.HasPrefix(repository.Message, deniedB) || !strings.Contains(repository.Message, why)) {
					t.Errorf("%s: message %q, want %q and %q", repository.Name, repository.Message, deniedB, why)
				}
			}
			if calls := registry.Calls()["GetRegistryPolicy"]; calls > 1 {
				t.Errorf("the registry policy was read %d times", calls)
			}
		})
	}
}

// A registry of unknown account may be that of the failed source.
func TestAFailedAccountKeepsEverythingInAnUnknownRegistry(t *testing.T) {
	t.Parallel()
	_, r := newRegistry(t, twoAccounts)
	scans(&r, inuse.Scan{Failed: failureOf(accountB)})
	entry := fixture.EntryOf(t, twoAccounts)
	w := newFakeRegistry(image("sha256:a", 9*day))
	r.Registry = policyReader{reader: w.Reader()}
	for account, want := range map[string]bool{"": true, fixture.Account: false} {
		p, err := r.PlannerOf(account).Plan(t.Context(), "app", entry)
		if err != nil || (p.Skip != nil) != want {
			t.Errorf("account %q: skip %v, %v", account, p.Skip, err)
		}
	}
}

// A registry that cannot read its policies may admit any account.
func TestAFailedAccountKeepsEverythingWithoutPolicies(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(image("sha256:a", 9*day)), twoAccounts)
	scans(&r, inuse.Scan{Failed: failureOf(accountB)})
	result := run(t, &r)
	awstest.Equal(t, "message", deniedB+"; it is not known whether account 222222222222 may pull: this registry cannot read resource policies", result.Repositories[0].Message)
}

// Without a failure of another account, the policy of the registry is of no interest.
func TestTheRegistryPolicyIsReadOnlyAfterAFailure(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, twoAccounts)
	fixture.Push(registry, 9*day, fakeecr.Image{})
	scans(&r, inuse.Scan{Counts: map[string]int{"ecs": 1}})
	run(t, &r)
	awstest.Equal(t, "calls", 0, registry.Calls()["GetRegistryPolicy"])
}

// The sources that failed found nothing, which says nothing about the images in use.
func TestNothingReferencesNamesTheSourcesThatAnswered(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, twoAccounts)
	fixture.Push(registry, 9*day, fakeecr.Image{})
	scans(&r, inuse.Scan{Failed: failureOf(accountB)})
	result := run(t, &r)
	var messages []string
	for _, f := range result.Findings {
		if f.Kind == finding.NothingReferences {
			messages = append(messages, f.Message)
		}
	}
	awstest.Equal(t, "findings", []string{"no reference to its images found in ecs, ecs@333333333333/eu-west-1"}, messages)
}

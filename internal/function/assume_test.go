package function_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A cloud has STS, S3 and the registries of accounts, which only their roles reach. It plays
// Lambda without functions, and ECS with a service for each image in use.
type cloud struct {
	inusetest.STS
	awstest.S3
	registries map[string]*fakeecr.Server // by account and Region
	// used has the images in use by account and Region.
	used map[string][]string
	// fault returns the status and the code of an error, or the status 0.
	fault func(place, service, operation string) (status int, code string)

	mu    sync.Mutex
	calls []string // account, Region and service of each
}

// at returns the registry there.
func (c *cloud) at(account, region string) *fakeecr.Server {
	place := account + "/" + region
	if c.registries == nil {
		c.registries = map[string]*fakeecr.Server{}
	}
	if c.registries[place] == nil {
		c.registries[place] = fakeecr.New(fakeecr.WithClock(clock), fakeecr.WithAccount(account), fakeecr.WithRegion(region))
	}
	return c.registries[place]
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	account, region, service := inusetest.Signer(r)
	place := account + "/" + region
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c.mu.Lock()
	c.calls = append(c.calls, place+" "+service)
	c.mu.Unlock()
	if c.fault != nil {
		if status, code := c.fault(place, service, operation); status != 0 {
			w.Header().Set("X-Amzn-Errortype", code)
			inusetest.Answer(w, status, inusetest.Object{"message": "not today"})
			return
		}
	}
	switch registry := c.registries[place]; {
	case service == "sts":
		c.STS.ServeHTTP(w, r)
	case service == "s3":
		c.S3.ServeHTTP(w, r)
	case service == "ecr" && registry != nil:
		registry.ServeHTTP(w, r)
	case service == "ecr":
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		inusetest.Answer(w, http.StatusBadRequest, inusetest.Object{"message": "no registry of " + place})
	case service == "lambda":
		inusetest.Answer(w, http.StatusOK, inusetest.Object{"Functions": []string{}})
	default:
		c.ecs(w, operation, place)
	}
}

func (c *cloud) ecs(w http.ResponseWriter, operation, place string) {
	containers := []inusetest.Object{}
	for _, image := range c.used[place] {
		containers = append(containers, inusetest.Object{"image": image})
	}
	answer, known := map[string]inusetest.Object{
		"ListClusters":               {"clusterArns": []string{"prod"}},
		"ListTasks":                  {"taskArns": []string{}},
		"ListTaskDefinitionFamilies": {"families": []string{}},
		"ListServices":               {"serviceArns": []string{"s"}},
		"DescribeServices":           {"services": []inusetest.Object{{"serviceArn": "s", "taskDefinition": "app:1"}}},
		"DescribeTaskDefinition": {"taskDefinition": inusetest.Object{
			"registeredAt": 1, "containerDefinitions": containers,
		}},
	}[operation]
	if !known {
		http.Error(w, "<html>Internal Server Error</html>", http.StatusInternalServerError) // as an emulator
		return
	}
	inusetest.Answer(w, http.StatusOK, answer)
}

// seen returns which accounts, Regions and services were called.
func (c *cloud) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(c.calls)))
}

const (
	readerRole = "arn:aws:iam::222222222222:role/ecr-cleaner-reader"
)

func inTarget() function.Role {
	return function.Role{
		Place: config.Place{Account: "222222222222", Region: "us-east-1"}, ARN: readerRole, ExternalID: "the-word", Session: "run/1",
	}
}

func (c *cloud) assume(t *testing.T, r function.Role) (function.Registry, aws.Config, error) {
	t.Helper()
	own := awstest.Attempts(awstest.Serve(t, c), 1)
	registry, err := function.Assume(t.Context(), own, r, function.DefaultConcurrency, clock)
	return registry, own, err
}

// The registry is that of the role in the Region of the place. STS is asked in the own Region.
func TestARoleConnectsToTheRegistryOfItsPlace(t *testing.T) {
	t.Parallel()
	c := &cloud{}
	c.at("222222222222", "us-east-1").CreateRepository("there")
	r, _, err := c.assume(t, inTarget())
	awstest.NoError(t, err)
	for repository, err := range r.Reader.Repositories(t.Context()) {
		if err != nil || repository.Name != "there" || repository.RegistryID != "222222222222" {
			t.Errorf("Repositories yields %+v, %v", repository, err)
		}
	}
	awstest.Equal(t, "Region", "us-east-1", r.Region)
	awstest.Equal(t, "calls of AssumeRole", []url.Values{{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {readerRole}, "ExternalId": {"the-word"},
		"RoleSessionName": {"run-1"}, "DurationSeconds": {"3600"},
	}}, c.Assumed())
	awstest.Equal(t, "calls", []string{"/eu-west-1 sts", "222222222222/us-east-1 ecr"}, c.seen())
	account, err := r.Account(t.Context())
	awstest.NoError(t, err)
	awstest.Equal(t, "account", "222222222222", account)
}

// ECR records the pulls of the role that was assumed, so its exclusion counts.
func TestTheAssumedRoleIsTheCallerOfItsPulls(t *testing.T) {
	t.Parallel()
	c := &cloud{}
	c.at("222222222222", "us-east-1")
	r, _, err := c.assume(t, inTarget())
	awstest.NoError(t, err)
	awstest.Equal(t, "without an exclusion", plan.OwnPulls{Principal: memberRole}, r.OwnPulls(t.Context()))
}

// What is not in the target's account is read, written and assumed by the function itself.
func TestTheRoleReadsNothingOutsideItsAccount(t *testing.T) {
	t.Parallel()
	c := &cloud{S3: awstest.S3{Objects: map[string]string{
		"lists/one.json":                        awstest.ListOf("444444444444", "eu-west-1", 0),
		"lists/all/555555555555/eu-west-1.json": awstest.ListOf("555555555555", "eu-west-1", 0),
	}}}
	c.at("222222222222", "us-east-1")
	r, _, err := c.assume(t, inTarget())
	awstest.NoError(t, err)
	settings, problems := config.Parse([]byte(`{"protect": {"inUse": ["lambda"], "regions": ["eu-north-1"],
		"references": ["s3://lists/one.json", "s3://lists/all/"], "expect": ["555555555555/eu-west-1"], "accounts": [{"roleArn": "arn:aws:iam::333333333333:role/a"}]}}`))
	awstest.Empty(t, "problems", problems)
	scan := r.Scanner(settings, "us-east-1", clock)(t.Context())
	for _, f := range scan.Failed {
		t.Errorf("failed: %s", f)
	}
	awstest.NoError(t, r.PutObject(t.Context(), "s3://lists/new.json", []byte("{}")))
	awstest.Equal(t, "calls", []string{
		"/eu-west-1 s3", "/eu-west-1 sts", "222222222222/eu-north-1 lambda", "222222222222/us-east-1 lambda", "333333333333/us-east-1 lambda",
	}, c.seen())
}

func TestATargetsRoleThatCannotBeAssumed(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"AccessDenied", "ValidationError"} {
		c := &cloud{}
		c.Refuse = func(form url.Values) (int, string, string) {
			if form.Get("Action") == "AssumeRole" {
				return http.StatusForbidden, code, "sts:AssumeRole with 'the-word' failed"
			}
			return 0, "", ""
		}
		role := inTarget()
		if code == "AccessDenied" { // whose message has no external ID
			role.ExternalID = "of no message"
		}
		_, _, err := c.assume(t, role)
		awstest.ErrorContains(t, err, "assume role "+readerRole+": ", "externalId in targets of the configuration")
		if strings.Contains(err.Error(), role.ExternalID) || strings.Contains(err.Error(), "protect.accounts") {
			t.Errorf("the error is %v", err)
		}
		if code == "AccessDenied" {
			awstest.ErrorContains(t, err, "ReaderRoleArns", "RemoverRoleArns", "deploy/fleet.yaml", "deploy/fleet-member.yaml")
		}
	}
}

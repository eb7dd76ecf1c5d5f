//go:build integration

package integration_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
)

// TestTheMemberRoleIsDeployed deploys deploy/member-role.yaml in a second account, and
// assumes the role from the first. Moto does not check who may assume a role, so that the
// test reads the trust policy.
func TestTheMemberRoleIsDeployed(t *testing.T) {
	t.Parallel()
	on := startFaithful(t).registry("eu-west-1")
	const cleaner, member = "arn:aws:iam::" + account + ":role/cleaner", "arn:aws:iam::222222222222:role/ecr-cleaner-member"
	there := on.assume(t, "arn:aws:iam::222222222222:role/deployer")
	on.awsAs(t, there, nil, "cloudformation", "deploy", "--stack-name", "member", "--template-file", "../deploy/member-role.yaml",
		"--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides", "CleanerRoleArn="+cleaner, "ExternalId=a-secret-word", "InUseLambda=false")

	var role struct {
		Role struct {
			Arn                      string
			MaxSessionDuration       int
			AssumeRolePolicyDocument any
		}
	}
	on.awsAs(t, there, &role, "iam", "get-role", "--role-name", "ecr-cleaner-member")
	awstest.Equal(t, "ARN", member, role.Role.Arn)
	awstest.Equal(t, "seconds of a session", 3600, role.Role.MaxSessionDuration)
	trust, err := json.Marshal(role.Role.AssumeRolePolicyDocument)
	awstest.NoError(t, err)
	awstest.Equal(t, "trust policy", `{"Statement":[{"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"a-secret-word"}},`+
		`"Effect":"Allow","Principal":{"AWS":"`+cleaner+`"}}],"Version":"2012-10-17"}`, string(trust))

	var attached struct{ PolicyNames []string }
	on.awsAs(t, there, &attached, "iam", "list-role-policies", "--role-name", "ecr-cleaner-member")
	awstest.Equal(t, "number of policies", 1, len(attached.PolicyNames))
	var policy struct{ PolicyDocument any }
	on.awsAs(t, there, &policy, "iam", "get-role-policy", "--role-name", "ecr-cleaner-member", "--policy-name", attached.PolicyNames[0])
	document, err := json.Marshal(policy.PolicyDocument)
	awstest.NoError(t, err)
	for _, service := range services.Table {
		for _, action := range service.Actions {
			awstest.Equal(t, "whether "+action+" is allowed", service.Name == "ecs", strings.Contains(string(document), `"`+action+`"`))
		}
	}

	var caller struct{ Account, Arn string }
	on.awsAs(t, on.assume(t, member, "--external-id", "a-secret-word"), &caller, "sts", "get-caller-identity")
	awstest.Equal(t, "account", "222222222222", caller.Account)
	awstest.Equal(t, "caller", "arn:aws:sts::222222222222:assumed-role/ecr-cleaner-member/test", caller.Arn)
}

// assume returns the credentials of a role, for the environment of a command.
func (r *registry) assume(t *testing.T, role string, more ...string) []string {
	t.Helper()
	var answer struct {
		Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	}
	r.awsAs(t, nil, &answer, append([]string{"sts", "assume-role", "--role-arn", role, "--role-session-name", "test"}, more...)...)
	c := answer.Credentials
	return []string{"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.SessionToken}
}

// awsAs runs the AWS command-line interface with credentials, and reads its answer unless
// that is nil.
func (r *registry) awsAs(t *testing.T, credentials []string, answer any, args ...string) {
	t.Helper()
	out := r.awsCommand(t, append(credentials, "AWS_CONFIG_FILE="+os.DevNull), args...)
	if answer != nil {
		awstest.NoError(t, json.Unmarshal(out, answer))
	}
}

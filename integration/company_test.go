//go:build integration

package integration_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A company has the registry of a site. Lists are below the prefix.
type company struct {
	*site
	prefix  string
	trusted string // the external ID in the trust policy of the member's role
}

const (
	pull = `"Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]`
	// mayPull lets the member pull, and anyMayPull an organization.
	mayPull    = `{"Version": "2012-10-17", "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::` + member + `:root"}, ` + pull + `}]}`
	anyMayPull = `{"Version": "2012-10-17", "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": "*", ` + pull + `,
	  "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-company"}}}]}`
)

// company fills a registry, and starts what uses it. The function of the member writes the
// list of the member's Region.
func (m *moto) company(t *testing.T, program, region, trusted string) *company {
	t.Helper()
	c := &company{m.site(t, program, region), "s3://lists/" + region + "/", trusted}
	for repository, images := range used {
		c.create(t, repository, "")
		for _, name := range append(images, "unused") {
			c.add(repository, image{name: name, tags: []string{name}})
		}
	}
	for repository, policy := range map[string]string{"open": mayPull, "all": anyMayPull} {
		_, err := c.client.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: &repository, PolicyText: &policy})
		c.done(err)
	}
	here, there := c.as(memberRole), m.site(t, "", memberRegion).as(memberRole)
	here.cluster()
	here.run(here.define("task", c.uri("open:task")))
	here.define("family", c.uri("all:family"))
	there.serve(region, there.define(region, c.uri("listed:service")))
	m.site(t, "", functionRegion).function(region, c.uri("function:function"))
	there.write(c.prefix)
	return c
}

// write writes the list of the site with the function.
func (s *site) write(prefix string) {
	s.Helper()
	written := s.invoke(s.T, `{}`, `CLEANER_CONFIG={"mode": "references", "protect": {"inUse": ["ecs"]}, "references": {"s3": "`+prefix+`"}}`)
	if decodeReport(s.T, written).Incomplete {
		s.Fatalf("no list: %s", written)
	}
}

// as returns the site in the account of the role.
func (s *site) as(role string) *site {
	s.Helper()
	cfg := s.config(s.region)
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role))
	keys, err := cfg.Credentials.Retrieve(s.Context())
	s.done(err)
	there := s.site(s.T, s.program, s.region)
	there.client, there.ecs, there.lambda = ecr.NewFromConfig(cfg), ecs.NewFromConfig(cfg), lambda.NewFromConfig(cfg)
	there.keys = []string{
		"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey, "AWS_SESSION_TOKEN=" + keys.SessionToken,
	}
	return there
}

// createMember creates the role as in deploy/member-role.yaml and returns the external ID of its
// trust policy.
func (s *site) createMember() string {
	s.Helper()
	s.aws(s.T, "", "cloudformation", "create-stack", "--stack-name", "member", "--capabilities", "CAPABILITY_NAMED_IAM",
		"--template-body", "file://../deploy/member-role.yaml", "--parameters",
		"ParameterKey=CleanerRoleArn,ParameterValue=arn:aws:iam::"+account+":role/cleaner", "ParameterKey=ExternalId,ParameterValue="+externalID)
	var got struct {
		Role struct {
			Arn                      string
			AssumeRolePolicyDocument struct {
				Statement []struct {
					Condition struct{ StringEquals map[string]string }
				}
			}
		}
	}
	s.done(json.Unmarshal(s.aws(s.T, "", "iam", "get-role", "--role-name", "ecr-cleaner-member"), &got))
	awstest.Equal(s, "ARN of the role", memberRole, got.Role.Arn)
	return got.Role.AssumeRolePolicyDocument.Statement[0].Condition.StringEquals["sts:ExternalId"]
}

// between puts a proxy between the program and moto. It plays an STS that compares external
// IDs with the trust policy of the role. The answer reports whether it has answered a call.
func (c *company) between(answer func(http.ResponseWriter, *http.Request) bool) {
	c.Helper()
	c.registry = c.through(func(w http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body)) // most bodies are JSON
		if form.Get("Action") == "AssumeRole" && (form.Get("RoleArn") != memberRole || form.Get("ExternalId") != c.trusted) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole on resource: `+
				form.Get("RoleArn")+`</Message></Error></ErrorResponse>`) // the program may have gone
			return true
		}
		return answer != nil && answer(w, r)
	})
}

package repo_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// texts is a string or a list of strings.
type texts []string

func (l *texts) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]string)(l))
	}
	*l = texts{""}
	return json.Unmarshal(text, &(*l)[0])
}

// match reports whether one of the patterns matches, with the variables of the request.
func (l texts) match(text string, variables map[string]string) bool {
	for _, pattern := range l {
		for name, value := range variables {
			pattern = strings.ReplaceAll(pattern, "${"+name+"}", value)
		}
		if wildcard.Compile(pattern).Match(text) {
			return true
		}
	}
	return false
}

// A statement is one of a resource policy.
type statement struct {
	Sid, Effect                   string
	Principal                     any
	Action, Resource, NotResource texts
	Condition                     map[string]map[string]texts
}

// applies reports whether the statement is about the request. It takes all operators of
// conditions for StringLike, which is enough for those in the policy.
func (s statement) applies(principal, action, resource string, request map[string]string) bool {
	named, _ := s.Principal.(map[string]any)
	if s.Principal != "*" && named["AWS"] != principal || !s.Action.match(action, nil) {
		return false
	}
	if s.Resource != nil && !s.Resource.match(resource, request) || s.NotResource.match(resource, request) {
		return false
	}
	for _, keys := range s.Condition {
		for key, values := range keys {
			if value, known := request[key]; !known || !values.match(value, nil) {
				return false
			}
		}
	}
	return true
}

// A member that could write below another's name could hide images of the other account.
func TestAccountsWriteOnlyTheirOwnLists(t *testing.T) {
	t.Parallel()
	var policy struct {
		Version   string
		Statement []statement
	}
	in := json.NewDecoder(strings.NewReader(read(t, "deploy/lists-bucket-policy.json")))
	in.DisallowUnknownFields()
	awstest.NoError(t, in.Decode(&policy))
	for _, s := range policy.Statement {
		if s.Effect == "Allow" && s.Action.match("s3:PutObject", nil) {
			awstest.Equal(t, "resource of "+s.Sid, texts{"arn:aws:s3:::example-bucket/lists/${aws:PrincipalAccount}/*"}, s.Resource)
			awstest.Equal(t, "action of "+s.Sid, texts{"s3:PutObject"}, s.Action)
		}
	}
	const bucket = "arn:aws:s3:::example-bucket"
	const b, reader = "arn:aws:iam::222222222222:role/lists", "arn:aws:iam::111111111111:role/ecr-cleaner"
	for _, c := range []struct {
		principal, action, key, org string
		want                        string
	}{
		{b, "PutObject", "/lists/222222222222/eu-west-1.json", "o-exampleorgid", "Allow"},
		{b, "PutObject", "/lists/222222222222/eu-west-1/a.json", "o-exampleorgid", "Allow"},
		{b, "PutObject", "/lists/333333333333/eu-west-1.json", "o-exampleorgid", "Deny"},
		{b, "PutObject", "/lists/eu-west-1.json", "o-exampleorgid", "Deny"},
		{b, "PutObject", "/lists/222222222222", "o-exampleorgid", "Deny"},
		{b, "PutObject", "/other/222222222222/eu-west-1.json", "o-exampleorgid", "Deny"},
		{b, "PutObject", "/lists/222222222222/eu-west-1.json", "o-another", ""},
		{b, "DeleteObject", "/lists/222222222222/eu-west-1.json", "o-exampleorgid", ""},
		{b, "DeleteObject", "/lists/333333333333/eu-west-1.json", "o-exampleorgid", ""},
		{b, "PutObjectAcl", "/lists/222222222222/eu-west-1.json", "o-exampleorgid", ""},
		{b, "GetObject", "/lists/333333333333/eu-west-1.json", "o-exampleorgid", ""},
		{b, "ListBucket", "", "o-exampleorgid", ""},
		{reader, "GetObject", "/lists/222222222222/eu-west-1.json", "o-exampleorgid", "Allow"},
		{reader, "ListBucket", "", "o-exampleorgid", "Allow"},
		{reader, "PutObject", "/lists/222222222222/eu-west-1.json", "o-exampleorgid", "Deny"},
		{reader, "PutBucketPolicy", "", "o-exampleorgid", ""},
	} {
		for tls, want := range map[string]string{"true": c.want, "false": "Deny"} {
			request := map[string]string{
				"aws:PrincipalAccount": strings.Split(c.principal, ":")[4], "aws:PrincipalOrgID": c.org, "aws:SecureTransport": tls, "s3:prefix": "lists/",
			}
			got := ""
			for _, s := range policy.Statement {
				if s.applies(c.principal, "s3:"+c.action, bucket+c.key, request) && got != "Deny" {
					got = s.Effect
				}
			}
			awstest.Equal(t, strings.Join([]string{c.principal, c.action, c.key, c.org, "TLS", tls}, " "), want, got)
		}
	}
}

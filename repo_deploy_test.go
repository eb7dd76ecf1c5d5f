package repo_test

import (
	"encoding/json"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A role that trusts anyone else, or without an external ID, lets others read the account.
func TestTheMemberRoleTrustsOnlyTheCleaner(t *testing.T) {
	t.Parallel()
	var template struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				AssumeRolePolicyDocument any `yaml:"AssumeRolePolicyDocument"`
				MaxSessionDuration       int `yaml:"MaxSessionDuration"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "deploy/member-role.yaml")), &template); err != nil {
		t.Fatal(err)
	}
	roles := 0
	for name, resource := range template.Resources {
		if resource.Type != "AWS::IAM::Role" {
			continue
		}
		roles++
		got, err := json.Marshal(resource.Properties)
		const want = `{"AssumeRolePolicyDocument":{"Statement":[{"Action":"sts:AssumeRole",` +
			`"Condition":{"StringEquals":{"sts:ExternalId":"ExternalId"}},"Effect":"Allow",` +
			`"Principal":{"AWS":"CleanerRoleArn"}}],"Version":"2012-10-17"},"MaxSessionDuration":3600}`
		if err != nil || string(got) != want {
			t.Errorf("%s is trusted as\n%s, want\n%s, with references to the parameters (%v)", name, got, want, err)
		}
	}
	if roles != 1 {
		t.Errorf("deploy/member-role.yaml has %d roles, want 1", roles)
	}
}

// An account that could replace the list of another account with a shorter one could delete
// the images of that account.
func TestEachAccountWritesOnlyItsOwnLists(t *testing.T) {
	t.Parallel()
	var policy struct {
		Statement []struct {
			Effect, Action, Resource string
			Principal                any
			Condition                map[string]map[string]string
		}
	}
	if err := json.Unmarshal([]byte(read(t, "deploy/reference-bucket-policy.json")), &policy); err != nil {
		t.Fatal(err)
	}
	const lists = "arn:aws:s3:::example-bucket/references/"
	resources := map[string]string{
		"s3:PutObject":  lists + "${aws:PrincipalAccount}/*",
		"s3:GetObject":  lists + "*",
		"s3:ListBucket": "arn:aws:s3:::example-bucket",
	}
	for _, s := range policy.Statement {
		if s.Effect != "Allow" || resources[s.Action] != s.Resource {
			t.Errorf("%s of %s on %s, want %q", s.Effect, s.Action, s.Resource, resources[s.Action])
		}
		delete(resources, s.Action)
		if everyone := s.Principal == "*"; everyone != (s.Action == "s3:PutObject") || everyone != (s.Condition["StringEquals"]["aws:PrincipalOrgID"] != "") {
			t.Errorf("%s is for %v under the condition %v", s.Action, s.Principal, s.Condition)
		}
		if prefix := s.Condition["StringEquals"]["s3:prefix"]; s.Action == "s3:ListBucket" && prefix != "references/" {
			t.Errorf("the prefix of s3:ListBucket is %q", prefix)
		}
	}
	if len(resources) > 0 {
		t.Errorf("no statement allows %v", resources)
	}
}

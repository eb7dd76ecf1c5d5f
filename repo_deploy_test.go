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

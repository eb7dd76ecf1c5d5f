package fakeecr_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

func TestRepositoryPolicyIsGot(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	in := &ecr.GetRepositoryPolicyInput{RepositoryName: aws.String("app")}
	_, err := client.GetRepositoryPolicy(t.Context(), in)
	wantCode(t, err, "RepositoryPolicyNotFoundException")
	s.SetRepositoryPolicy("app", "{}")
	got := must[*ecr.GetRepositoryPolicyOutput](t)(client.GetRepositoryPolicy(t.Context(), in))
	if *got.PolicyText != "{}" || *got.RepositoryName != "app" || *got.RegistryId != "123456789012" {
		t.Errorf("got %s, %s, %s", *got.RegistryId, *got.RepositoryName, *got.PolicyText)
	}
	_, err = client.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: aws.String("nowhere")})
	wantCode(t, err, "RepositoryNotFoundException")
	_, err = client.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: aws.String("A")})
	wantCode(t, err, "InvalidParameterException")
}

func TestRegistryPolicyIsGot(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	_, err := client.GetRegistryPolicy(t.Context(), nil)
	wantCode(t, err, "RegistryPolicyNotFoundException")
	s.SetRegistryPolicy("{}")
	got := must[*ecr.GetRegistryPolicyOutput](t)(client.GetRegistryPolicy(t.Context(), nil))
	if *got.PolicyText != "{}" || *got.RegistryId != "123456789012" {
		t.Errorf("got %s, %s", *got.RegistryId, *got.PolicyText)
	}
}

package fakeecr_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

const noPolicy = "Lifecycle policy does not exist for the repository with name 'app' in the registry with id '123456789012'"

func TestLifecyclePolicyIsPutGotAndDeleted(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	app, text := aws.String("app"), strings.Repeat("é", 100)
	_, err := client.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: app})
	wantMessage(t, err, "LifecyclePolicyNotFoundException", noPolicy)
	put := must[*ecr.PutLifecyclePolicyOutput](t)(client.PutLifecyclePolicy(t.Context(),
		&ecr.PutLifecyclePolicyInput{RepositoryName: app, LifecyclePolicyText: aws.String(text)}))
	got := must[*ecr.GetLifecyclePolicyOutput](t)(client.GetLifecyclePolicy(t.Context(),
		&ecr.GetLifecyclePolicyInput{RepositoryName: app}))
	deleted := must[*ecr.DeleteLifecyclePolicyOutput](t)(client.DeleteLifecyclePolicy(t.Context(),
		&ecr.DeleteLifecyclePolicyInput{RepositoryName: app}))
	for step, got := range map[string][3]*string{
		"put":    {put.RegistryId, put.RepositoryName, put.LifecyclePolicyText},
		"get":    {got.RegistryId, got.RepositoryName, got.LifecyclePolicyText},
		"delete": {deleted.RegistryId, deleted.RepositoryName, deleted.LifecyclePolicyText},
	} {
		if *got[0] != "123456789012" || *got[1] != "app" || *got[2] != text {
			t.Errorf("%s answered %s, %s, %s", step, *got[0], *got[1], *got[2])
		}
	}
	if !got.LastEvaluatedAt.Equal(time.Unix(0, 0)) {
		t.Errorf("got lastEvaluatedAt %v, want the epoch", got.LastEvaluatedAt)
	}
	_, err = client.DeleteLifecyclePolicy(t.Context(), &ecr.DeleteLifecyclePolicyInput{RepositoryName: app})
	wantMessage(t, err, "LifecyclePolicyNotFoundException", noPolicy)
	s.SetLifecyclePolicy("app", "{")
	got = must[*ecr.GetLifecyclePolicyOutput](t)(client.GetLifecyclePolicy(t.Context(),
		&ecr.GetLifecyclePolicyInput{RepositoryName: app}))
	if *got.LifecyclePolicyText != "{" {
		t.Errorf("got policy %q, want {", *got.LifecyclePolicyText)
	}
}

func TestPutLifecyclePolicyChecksTheLength(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	const message = "Invalid parameter at 'lifecyclePolicyText' failed to satisfy constraint: 'Member must have length %s'"
	for length, want := range map[int]string{
		99:    "greater than or equal to 100",
		30721: "less than or equal to 30720",
	} {
		_, err := client.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{
			RepositoryName: aws.String("app"), LifecyclePolicyText: aws.String(strings.Repeat("x", length)),
		})
		wantMessage(t, err, "InvalidParameterException", strings.Replace(message, "%s", want, 1))
	}
}

package ecrapi_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func TestRepositoryTags(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	listed, err := collect(t, client.Repositories(t.Context()))
	awstest.NoError(t, err)
	for _, want := range []map[string]string{{}, {"stage": "dev", "empty": ""}} {
		registry.TagRepository("app", want)
		got, err := client.RepositoryTags(t.Context(), listed[0])
		awstest.NoError(t, err)
		awstest.Equal(t, "RepositoryTags", want, got)
	}
	awstest.Equal(t, "ListTagsForResource calls", 2, calls.Snapshot()["ListTagsForResource"])
}

func TestRepositoryTagsErrors(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	listed, err := collect(t, client.Repositories(t.Context()))
	awstest.NoError(t, err)
	registry.FailNext("ListTagsForResource", "app", "AccessDeniedException", 1)
	_, err = client.RepositoryTags(t.Context(), listed[0])
	awstest.ErrorContains(t, err, "list tags of app: ", "ecr:ListTagsForResource")
	registry.DeleteRepository("app")
	_, err = client.RepositoryTags(t.Context(), listed[0])
	awstest.ErrorIs(t, "a repository that is gone", err, plan.ErrRepositoryNotFound)
}

// A repository tag with a missing part could select the wrong policy for the repository.
func TestRepositoryTagsRefusesToGuess(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{`{"Key": "stage"}`, `{"Value": "prod"}`, `{}`} {
		client, _ := connect(t, canned{"ListTagsForResource": func(string) string { return `{"tags": [` + tag + `]}` }})
		_, err := client.RepositoryTags(t.Context(), plan.Repository{Name: "app", ARN: "arn"})
		awstest.ErrorContains(t, err, "list tags of app: the answer has a tag without key or value")
	}
}

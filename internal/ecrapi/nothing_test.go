package ecrapi_test

import (
	"errors"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// An empty body is not a registry without repositories, a repository without images or
// tags, or an archived image.
func TestAnAnswerWithNothingInItIsAnError(t *testing.T) {
	t.Parallel()
	for operation, c := range map[string]struct {
		call func(ecrapi.Client) error
		want string
	}{
		"DescribeRepositories": {func(c ecrapi.Client) error {
			_, err := collect(t, c.Repositories(t.Context()))
			return err
		}, "describe repositories: operation error ECR: DescribeRepositories, "},
		"DescribeImages": {func(c ecrapi.Client) error {
			_, err := collect(t, each(c.Images(t.Context(), "app")))
			return err
		}, "describe images in app: "},
		"ListTagsForResource": {func(c ecrapi.Client) error {
			_, err := c.RepositoryTags(t.Context(), plan.Repository{Name: "app", ARN: "arn:aws:ecr:eu-west-1:123456789012:repository/app"})
			return err
		}, "list tags of app: operation error ECR: ListTagsForResource, "},
		"UpdateImageStorageClass": {func(c ecrapi.Client) error {
			return c.Archive(t.Context(), "app", digest(0))
		}, "no answer: operation error ECR: UpdateImageStorageClass, "},
	} {
		registry, client, _ := start(t)
		put(registry, 1)
		registry.Inject(fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: fakeecr.EmptyAnswer, Operation: operation, Nth: 1}}})
		err := c.call(client)
		awstest.ErrorContains(t, err, c.want)
		awstest.Equal(t, operation+": error is ErrUnanswered", operation == "UpdateImageStorageClass", errors.Is(err, apply.ErrUnanswered))
	}
}

// An empty list is a valid list.
func TestEmptyLists(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	if images, err := collect(t, each(client.Images(t.Context(), "app"))); err != nil || len(images) > 0 {
		t.Errorf("images: %v, %v", images, err)
	}
	registry.DeleteRepository("app")
	if repositories, err := collect(t, client.Repositories(t.Context())); err != nil || len(repositories) > 0 {
		t.Errorf("repositories: %v, %v", repositories, err)
	}
}

// An answer without the list is an error. It may come from a proxy.
func TestAnAnswerWithoutTheListIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{}`, `null`, `{"message": "sign in"}`, `{"repositories": null, "imageDetails": null}`, `{"nextToken": "t"}`, `<html>`, `{"imageDetails": [`} {
		client := ecrapi.New(api(awstest.Answer(text)))
		if repositories, err := collect(t, client.Repositories(t.Context())); err == nil || len(repositories) > 0 {
			t.Errorf("%s: repositories %v, %v", text, repositories, err)
		}
		if images, err := collect(t, client.Images(t.Context(), "app")); err == nil || len(images) > 0 {
			t.Errorf("%s: images %v, %v", text, images, err)
		}
	}
}

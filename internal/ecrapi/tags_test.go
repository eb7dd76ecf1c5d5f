package ecrapi_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func TestRepositoryTags(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	listed, err := collect(t, client.Repositories(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []map[string]string{{}, {"stage": "dev", "empty": ""}} {
		registry.TagRepository("app", want)
		got, err := client.RepositoryTags(t.Context(), listed[0])
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("RepositoryTags: %v, mismatch (-want +got):\n%s", err, diff)
		}
	}
	if n := calls.Snapshot()["ListTagsForResource"]; n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

func TestRepositoryTagsErrors(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	listed, err := collect(t, client.Repositories(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	registry.FailNext("ListTagsForResource", "app", "AccessDeniedException", 1)
	_, err = client.RepositoryTags(t.Context(), listed[0])
	wantError(t, err, "list tags of app: ")
	wantError(t, err, "ecr:ListTagsForResource")
	registry.DeleteRepository("app")
	if _, err := client.RepositoryTags(t.Context(), listed[0]); !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("of a repository that is gone: %v", err)
	}
}

// A repository tag with a missing part could select the wrong policy for the
// repository.
func TestRepositoryTagsRefusesToGuess(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{`{"Key": "stage"}`, `{"Value": "prod"}`, `{}`} {
		client, _ := connect(t, canned{"ListTagsForResource": func(string) string { return `{"tags": [` + tag + `]}` }})
		_, err := client.RepositoryTags(t.Context(), plan.Repository{Name: "app", ARN: "arn"})
		wantError(t, err, "list tags of app: the answer has a tag without key or value")
	}
}

package policyapi_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/policyapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

const keep5 = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}, "action": {"type": "expire"}}]}`

// start returns a registry with the repository "app" and clients of it.
func start(t *testing.T) (*fakeecr.Server, policyapi.Client, ecrapi.Client, *ecrapi.Calls) {
	t.Helper()
	registry, cfg := awstest.Registry(t)
	client, calls := policyapi.Connect(cfg)
	reader, _ := ecrapi.Connect(cfg)
	return registry, client, reader, calls
}

func TestAttachReplacesAndDetachRemovesThePolicy(t *testing.T) {
	t.Parallel()
	_, client, reader, calls := start(t)
	for _, text := range []string{keep5, strings.Replace(keep5, "5", "7", 1)} {
		awstest.NoError(t, client.Attach(t.Context(), "app", text))
		if got, err := reader.PolicyText(t.Context(), "app"); got != text || err != nil {
			t.Errorf("attached is %q, %v; want %q", got, err, text)
		}
	}
	awstest.NoError(t, client.Detach(t.Context(), "app"))
	_, err := reader.PolicyText(t.Context(), "app")
	awstest.ErrorIs(t, "after Detach", err, plan.ErrNoPolicy)
	awstest.Equal(t, "PutLifecyclePolicy calls", 2, calls.Snapshot()["PutLifecyclePolicy"])
	awstest.Equal(t, "DeleteLifecyclePolicy calls", 1, calls.Snapshot()["DeleteLifecyclePolicy"])
}

func TestRefusalsHaveNames(t *testing.T) {
	t.Parallel()
	registry, client, _, _ := start(t)
	awstest.ErrorIs(t, "Detach without a policy", client.Detach(t.Context(), "app"), plan.ErrNoPolicy)
	awstest.ErrorIs(t, "Detach in no repository", client.Detach(t.Context(), "gone"), plan.ErrRepositoryNotFound)
	awstest.ErrorIs(t, "Attach in no repository", client.Attach(t.Context(), "gone", keep5), plan.ErrRepositoryNotFound)
	awstest.ErrorContains(t, client.Attach(t.Context(), "app", strings.Replace(keep5, "5", "0", 1)), "put lifecycle policy of app: ")
	registry.Fail("PutLifecyclePolicy", "app", "AccessDeniedException")
	awstest.ErrorContains(t, client.Attach(t.Context(), "app", keep5), "ecr:PutLifecyclePolicy")
}

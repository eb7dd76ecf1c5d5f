package policyapi_test

import (
	"errors"
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
		if err := client.Attach(t.Context(), "app", text); err != nil {
			t.Fatal(err)
		}
		if got, err := reader.PolicyText(t.Context(), "app"); got != text || err != nil {
			t.Errorf("attached is %q, %v; want %q", got, err, text)
		}
	}
	if err := client.Detach(t.Context(), "app"); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.PolicyText(t.Context(), "app"); !errors.Is(err, plan.ErrNoPolicy) {
		t.Errorf("after Detach: %v, want ErrNoPolicy", err)
	}
	if n := calls.Snapshot(); n["PutLifecyclePolicy"] != 2 || n["DeleteLifecyclePolicy"] != 1 {
		t.Errorf("calls are %v", n)
	}
}

func TestRefusalsHaveNames(t *testing.T) {
	t.Parallel()
	registry, client, _, _ := start(t)
	if err := client.Detach(t.Context(), "app"); !errors.Is(err, plan.ErrNoPolicy) {
		t.Errorf("Detach without a policy: %v, want ErrNoPolicy", err)
	}
	if err := client.Detach(t.Context(), "gone"); !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("Detach in no repository: %v, want ErrRepositoryNotFound", err)
	}
	if err := client.Attach(t.Context(), "gone", keep5); !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("Attach in no repository: %v, want ErrRepositoryNotFound", err)
	}
	if err := client.Attach(t.Context(), "app", strings.Replace(keep5, "5", "0", 1)); err == nil || !strings.Contains(err.Error(), "put lifecycle policy of app: ") {
		t.Errorf("Attach of a text that is no policy: %v", err)
	}
	registry.Fail("PutLifecyclePolicy", "app", "AccessDeniedException")
	if err := client.Attach(t.Context(), "app", keep5); err == nil || !strings.Contains(err.Error(), "ecr:PutLifecyclePolicy") {
		t.Errorf("denied: %v, want one that names the action", err)
	}
}

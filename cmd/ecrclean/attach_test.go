package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// A policy that this tool applies and ECR does not take is refused by name,
// before anything changes anywhere.
func TestAttachRefusesPoliciesThatECRDoesNotTake(t *testing.T) {
	t.Parallel()
	policy := func(description string) string {
		return `{"rules": [{"rulePriority": 1, "description": "` + description + `", "selection": {"tagStatus": "any",
			"countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`
	}
	registry := fakeecr.New()
	registry.CreateRepository("app")
	registry.CreateRepository("web")
	server := httptest.NewServer(registry)
	defer server.Close()
	var stdout, stderr strings.Builder
	w := world{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, now: time.Now, getenv: func(string) string { return "" },
		connector: func(_, _ string, clock func() time.Time) func(context.Context) (function.Registry, error) {
			return func(context.Context) (function.Registry, error) {
				return function.Connect(awsclient.Local(server.URL, "eu-west-1"), clock), nil
			}
		},
	}
	configuration := `{"protect": {"inUse": []}, "policies": [{"name": "short", "repositories": ["app"], "policy": ` + policy("x") +
		`}, {"name": "long", "policy": ` + policy(strings.Repeat("x", 31_000)) + `}]}`
	status := run(t.Context(), w, []string{"attach", "--yes", "--config", configuration})
	if status != statusUsage || stdout.String() != "" {
		t.Errorf("status %d, standard output %q", status, stdout.String())
	}
	for _, want := range []string{
		`web: refused: policy "long" is none that ECR takes: 1:1: has 31155 characters; ECR takes at most 30720`,
		"ecrclean: nothing was changed: ECR does not take the policies of web; leave these out with --repositories",
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("the error stream has no %q:\n%s", want, stderr.String())
		}
	}
	if n := registry.Calls()["PutLifecyclePolicy"]; n != 0 {
		t.Errorf("%d policies were attached", n)
	}
}

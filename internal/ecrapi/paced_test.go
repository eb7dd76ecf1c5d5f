package ecrapi_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

// A call that ECR throttles halves the pace of its operation, and only that.
func TestThrottlingSlowsTheOperationDown(t *testing.T) {
	t.Parallel()
	registry, cfg := awstest.Registry(t)
	p := pace.New(pace.Limits{Start: 4, Most: 4})
	client, calls := ecrapi.Connect(cfg, ecrapi.Paced(p))
	registry.FailNext("DescribeRepositories", "", "ThrottlingException", 1)
	for _, err := range client.Repositories(t.Context()) {
		awstest.NoError(t, err)
	}
	awstest.Equal(t, "DescribeRepositories calls", 2, calls.Snapshot()["DescribeRepositories"])
	for operation, want := range map[string]int{"DescribeRepositories": 2, "DescribeImages": 4} {
		awstest.Equal(t, operation+" calls that may be under way", want, free(t, p, operation))
	}
	// A stopped run does not wait for its turn.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	occupy(t, p, "DescribeImages", 4)
	for _, err := range each(client.Images(ctx, "app")) {
		awstest.ErrorIs(t, "a deadline", err, context.DeadlineExceeded)
	}
}

// A panic in a call must end its turn.
func TestAPanicEndsACall(t *testing.T) {
	t.Parallel()
	p := pace.New(pace.Limits{Start: 2, Most: 2})
	faulty := awstest.Client(func(*http.Request) (*http.Response, error) { panic("fault") })
	client, _ := ecrapi.Connect(awstest.Offline(faulty), ecrapi.Paced(p))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("there is no panic")
			}
		}()
		_, _ = client.PolicyText(t.Context(), "app")
	}()
	awstest.Equal(t, "GetLifecyclePolicy calls that may be under way", 2, free(t, p, "GetLifecyclePolicy"))
}

// free returns how many calls may be under way at once, and ends them.
func free(t *testing.T, p *pace.Pace, operation string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	n := 0
	for {
		leave, err := p.Enter(ctx, operation)
		if err != nil {
			return n
		}
		defer leave(pace.Unknown)
		n++
	}
}

func occupy(t *testing.T, p *pace.Pace, operation string, n int) {
	t.Helper()
	for range n {
		_, err := p.Enter(t.Context(), operation)
		awstest.NoError(t, err)
	}
}

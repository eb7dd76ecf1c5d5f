package main

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// keepOne returns a policy with that description.
func keepOne(description string) string {
	return `{"rules": [{"rulePriority": 1, "description": "` + description + `", "selection": {"tagStatus": "any",
		"countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`
}

// runOn runs the program on an embedded registry with the repositories app and web. The
// registry has the program's clock.
func runOn(t *testing.T, stdin io.Reader, clock func() time.Time, args ...string) (status int, stdout, stderr string, registry *fakeecr.Server) {
	t.Helper()
	registry = fakeecr.New(fakeecr.WithClock(clock))
	registry.CreateRepository("app")
	registry.CreateRepository("web")
	status, stdout, stderr = runFilled(t, registry, stdin, clock, args...)
	return status, stdout, stderr, registry
}

// runFilled runs the program on an embedded registry.
func runFilled(t *testing.T, registry *fakeecr.Server, stdin io.Reader, clock func() time.Time, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return runIn(t, terminal.Streams{}, registry, stdin, clock, args...)
}

// runIn is runFilled on terminals.
func runIn(t *testing.T, on terminal.Streams, registry *fakeecr.Server, stdin io.Reader, clock func() time.Time, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(registry)
	defer server.Close()
	var out, errs strings.Builder
	status = run(t.Context(), env.Env{
		Stdin: stdin, Stdout: &out, Stderr: &errs, Terminal: on, Now: clock, Getenv: func(string) string { return "" },
		Source: function.SourceReader,
		Connector: func(_, _ string, clock func() time.Time) func(context.Context) (function.Registry, error) {
			return func(context.Context) (function.Registry, error) {
				return function.Connect(awsclient.Local(server.URL, "eu-west-1"), clock), nil
			}
		},
	}, args)
	return status, out.String(), errs.String()
}

// A policy that this tool applies and ECR does not take is refused by name,
// before anything changes anywhere.
func TestAttachRefusesPoliciesThatECRDoesNotTake(t *testing.T) {
	t.Parallel()
	configuration := `{"protect": {"inUse": []}, "policies": [{"name": "short", "repositories": ["app"], "policy": ` + keepOne("x") +
		`}, {"name": "long", "policy": ` + keepOne(strings.Repeat("x", 31_000)) + `}]}`
	status, stdout, stderr, registry := runOn(t, strings.NewReader(""), time.Now, "attach", "--yes", "--config", configuration)
	awstest.Equal(t, "status", exit.Usage, status)
	awstest.Equal(t, "standard output", "", stdout)
	for _, want := range []string{
		`web: refused: ECR does not accept policy "long": 1:1: has 31155 characters; ECR takes at most 30720`,
		"ecrclean: nothing was changed: ECR does not accept the policies of web; leave these out with --repositories",
	} {
		awstest.Contains(t, stderr, want)
	}
	awstest.Equal(t, "attached policies", 0, registry.Calls()["PutLifecyclePolicy"])
}

// What was shown of what is in use is not relied upon for long.
func TestAttachDoesNotTakeALateAnswer(t *testing.T) {
	t.Parallel()
	for pause, want := range map[time.Duration]struct{ status, calls int }{
		time.Second: {exit.Done, 2}, 10 * time.Minute: {exit.Failed, 0},
	} {
		var passed atomic.Int64
		clock := func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
		answer := readerFunc(func(p []byte) (int, error) {
			passed.Store(int64(pause))
			return copy(p, "yes\n"), nil
		})
		configuration := `{"protect": {"inUse": []}, "policies": [{"name": "one", "policy": ` + keepOne("x") + `}]}`
		status, _, stderr, registry := runOn(t, answer, clock, "attach", "--config", configuration)
		if n := registry.Calls()["PutLifecyclePolicy"]; status != want.status || n != want.calls {
			t.Errorf("after %s: status %d, %d policies attached\n%s", pause, status, n, stderr)
		}
		if late := strings.Contains(stderr, "the answer came after more than 10m0s"); late != (want.status != exit.Done) {
			t.Errorf("after %s the error stream has\n%s", pause, stderr)
		}
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// The adopted configuration may also be for a registry in another Region, where other Regions
// than here are the others.
func TestAdoptKeepsTheRegionsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	registry := fakeecr.New()
	registry.CreateRepository("app")
	registry.SetLifecyclePolicy("app", keepOne("x"))
	configuration := `{"protect": {"regions": ["eu-west-1", "us-east-1"], "accounts": [{"roleArn": "arn:aws:iam::222222222222:role/member"}]}}`
	status, stdout, stderr := runFilled(t, registry, strings.NewReader(""), time.Now, "adopt", "--config", configuration)
	awstest.Equal(t, "status of "+stderr, exit.Done, status)
	adopted, problems := config.Parse([]byte(stdout))
	awstest.Empty(t, "problems", problems)
	for _, protect := range []config.Protect{adopted.Protect, adopted.Policies[0].Protect} {
		awstest.Equal(t, "Regions", []string{"eu-west-1", "us-east-1"}, protect.Regions)
		awstest.Empty(t, "Regions of the account", protect.Accounts[0].Regions)
	}
}

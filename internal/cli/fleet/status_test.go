package fleet

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// In a pipe, status prints a line for each change until the execution ends.
func TestStatusFollowsAnExecution(t *testing.T) {
	t.Parallel()
	polls := 0
	cfg := awstest.Serve(t, &inusetest.JSONService{Reply: func(operation string, _ inusetest.Object) inusetest.Object {
		run := inusetest.Object{"mapRunArn": "arn:aws:states:eu-west-1:1:mapRun:fleet/Act:id"}
		switch operation {
		case "ListMapRuns":
			return inusetest.Object{"mapRuns": []inusetest.Object{run}}
		case "DescribeMapRun":
			run["itemCounts"] = inusetest.Object{"total": 9, "succeeded": polls / 2, "pending": 9 - polls/2}
			return run
		}
		polls++
		if polls == 5 {
			return inusetest.Object{"name": "first", "status": "SUCCEEDED", "output": `{"handled":true,"expected":9,"done":9,"report":"s3://b/r"}`}
		}
		return inusetest.Object{"name": "first", "status": "RUNNING"}
	}})
	var out, errs strings.Builder
	m := &machine{arn: "arn:aws:states:eu-west-1:111111111111:stateMachine:fleet", Flags: &session.Flags{Command: &cobra.Command{}, Env: env.Env{
		Stdout: &out, Stderr: &errs, Stdin: strings.NewReader(""), Now: time.Now,
		Connector: func(_, _ string, _ func() time.Time) func(context.Context) (function.Registry, error) {
			return func(context.Context) (function.Registry, error) { return function.Registry{AWS: cfg}, nil }
		},
	}}}
	awstest.NoError(t, m.follow(t.Context(), "first", true, time.Nanosecond))
	awstest.Equal(t, "changes", 3, strings.Count(errs.String(), "of 9 registries handled"))
	awstest.Contains(t, out.String(), "execution first has handled 9 targets: 9 done, 0 skipped")
	m.Stdout = io.Discard
	polls = 0
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := m.follow(ctx, "first", true, time.Hour)
	awstest.Equal(t, "status after an interruption", exit.Failed, exit.Status(err))
}

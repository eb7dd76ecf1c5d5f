package stepfunctions_test

import (
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/stepfunctions"
)

func client(t *testing.T, reply func(operation string, in inusetest.Object) inusetest.Object) stepfunctions.Client {
	t.Helper()
	return stepfunctions.New(awstest.Serve(t, &inusetest.JSONService{Reply: reply}), time.Now)
}

func TestExecutionsAreOfAllPages(t *testing.T) {
	t.Parallel()
	all := []inusetest.Object{{"name": "c", "startDate": 1796083200.5, "status": "RUNNING"}, {"name": "b"}, {"name": "a"}}
	c := client(t, func(_ string, in inusetest.Object) inusetest.Object {
		page, next := inusetest.Page(in, 1, all)
		return inusetest.Object{"executions": page, "nextToken": next}
	})
	executions, err := c.Executions(t.Context(), "machine", stepfunctions.Running, 0)
	awstest.NoError(t, err)
	awstest.Equal(t, "executions", 3, len(executions))
	awstest.Equal(t, "start", time.Date(2026, 12, 1, 0, 0, 0, 5e8, time.UTC), executions[0].StartDate.Time())
	executions, err = c.Executions(t.Context(), "machine", "", 1)
	awstest.NoError(t, err)
	awstest.Equal(t, "executions at most", 1, len(executions))
}

func TestMapRunsHaveTheirCounts(t *testing.T) {
	t.Parallel()
	c := client(t, func(operation string, _ inusetest.Object) inusetest.Object {
		run := inusetest.Object{"mapRunArn": "arn:aws:states:eu-west-1:1:mapRun:fleet/Know:id"}
		if operation == "ListMapRuns" {
			return inusetest.Object{"mapRuns": []inusetest.Object{run}}
		}
		run["status"], run["itemCounts"] = "RUNNING", inusetest.Object{"total": 3, "succeeded": 2}
		return run
	})
	runs, err := c.MapRuns(t.Context(), "execution")
	awstest.NoError(t, err)
	awstest.Equal(t, "label", "Know", runs[0].Label())
	awstest.Equal(t, "items", stepfunctions.Items{Total: 3, Succeeded: 2}, runs[0].ItemCounts)
}

// An answer that cannot be understood is not "nothing there".
func TestDoubtfulAnswersFail(t *testing.T) {
	t.Parallel()
	c := client(t, func(string, inusetest.Object) inusetest.Object { return inusetest.Object{"nextToken": "n"} })
	_, err := c.Executions(t.Context(), "machine", "", 0)
	awstest.ErrorContains(t, err, "list executions of machine", "has no executions")
	_, err = c.MapRuns(t.Context(), "execution")
	awstest.ErrorContains(t, err, "list map runs of execution", "has no map runs")
	c = client(t, func(string, inusetest.Object) inusetest.Object {
		return inusetest.Object{"executions": []inusetest.Object{{"name": "a"}}, "nextToken": "n"}
	})
	_, err = c.Executions(t.Context(), "machine", "", 0)
	awstest.ErrorContains(t, err, "the token of the page before")
}

func TestAnExecutionIsStartedAndDescribed(t *testing.T) {
	t.Parallel()
	c := client(t, func(operation string, in inusetest.Object) inusetest.Object {
		if operation == "StartExecution" {
			awstest.Equal(t, "request", inusetest.Object{"stateMachineArn": "machine", "name": "night", "input": `{"mode":"plan"}`}, in)
			return inusetest.Object{"executionArn": "arn"}
		}
		awstest.Equal(t, "request", inusetest.Object{"executionArn": "arn"}, in)
		return inusetest.Object{"status": "FAILED", "cause": "why"}
	})
	arn, err := c.Start(t.Context(), "machine", "night", `{"mode":"plan"}`)
	awstest.NoError(t, err)
	e, err := c.Describe(t.Context(), arn)
	awstest.NoError(t, err)
	awstest.Equal(t, "execution", stepfunctions.Execution{Status: stepfunctions.Failed, Cause: "why"}, e)
	c = client(t, func(string, inusetest.Object) inusetest.Object { return inusetest.Object{"name": "night"} })
	_, err = c.Describe(t.Context(), "arn")
	awstest.ErrorContains(t, err, "describe arn", "has no status")
}

//go:build integration

package integration_test

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// bucket has the objects of executions, below the prefix.
const (
	bucket       = "fleet"
	prefix       = "fleet/"
	machineARN   = "arn:aws:states:eu-west-1:" + account + ":stateMachine:fleet"
	functionARN  = "arn:aws:lambda:eu-west-1:" + account + ":function:cleaner"
	invocations  = "/2015-03-31/functions/"
	machineLimit = 5 * time.Minute
)

// A machine is the state machine of deploy/fleet.asl.json, which moto's interpreter runs.
type machine struct {
	*site
	states *sfn.Client
}

// An event is what the state machine sends to the function.
type event struct {
	Mode, Step, Execution string
	Target                struct{ Account, Region string }
	Cycle                 int
	Continuation          json.RawMessage
	text                  []byte
}

// unit returns the step of the event, or its mode and target.
func (e event) unit() string {
	return cmp.Or(e.Step, e.Mode+" "+e.Target.Account+"/"+e.Target.Region)
}

// startMachine starts moto and creates the state machine. The function answers its events.
func startMachine(t *testing.T, function func(http.ResponseWriter, event)) *machine {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := event{}
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		if err != nil || !strings.HasPrefix(r.URL.Path, invocations) {
			t.Errorf("%s %s: %v\n%s", r.Method, r.URL, err, text)
		}
		e.text = text
		function(w, e)
	}))
	t.Cleanup(front.Close)
	server := startScript(t, filepath.Join("testdata", "stepfunctions.py"), front.URL, filepath.Join(shared(t), "tools"))
	m := &machine{site: server.site(t, "bootstrap", "eu-west-1"), states: sfn.NewFromConfig(server.config("eu-west-1"))}
	m.put(t, "/"+bucket, "")
	_, err := m.states.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("fleet"), Definition: aws.String(definition(t)), RoleArn: aws.String("arn:aws:iam::" + account + ":role/fleet"),
	})
	m.done(err)
	return m
}

// definition returns the definition as CloudFormation makes it, with its substitutions.
func definition(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../deploy/fleet.asl.json")
	awstest.NoError(t, err)
	return strings.NewReplacer("${Partition}", "aws", "${FunctionArn}", functionARN, "${Bucket}", bucket, "${Prefix}", prefix,
		"${Mode}", "apply", "${MaxConcurrencyKnow}", "8", "${MaxConcurrencyAct}", "8").Replace(string(text))
}

// start starts an execution and returns its ARN.
func (m *machine) start(name, input string) string {
	m.Helper()
	out, err := m.states.StartExecution(m.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(machineARN), Name: &name, Input: &input})
	m.done(err)
	return aws.ToString(out.ExecutionArn)
}

// end waits for the end of an execution.
func (m *machine) end(execution string) *sfn.DescribeExecutionOutput {
	m.Helper()
	for deadline := time.After(machineLimit); ; {
		out, err := m.states.DescribeExecution(m.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &execution})
		m.done(err)
		if out.Status != types.ExecutionStatusRunning {
			return out
		}
		select {
		case <-deadline:
			m.Fatalf("%s runs after %v", execution, machineLimit)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// object reads an object of the bucket.
func (m *machine) object(key string, into any) {
	m.Helper()
	text, err := awsclient.GetObject(m.Context(), awsclient.Local(m.url, "eu-west-1"), "s3://"+bucket+"/"+key, time.Now())
	m.done(err)
	m.done(json.Unmarshal(text, into))
}

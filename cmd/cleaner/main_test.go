package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

const events = "../../events"

// keep2 keeps the two newest images of every repository.
const keep2 = `{"protect": {"inUse": []}, "policies": [{"name": "keep 2", "policy": {"rules": [
  {"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2},
   "action": {"type": "expire"}}]}}]}`

// newRegistry has repositories team-a/api, team-a/web and team-b/api, each
// with four images, the oldest 40 days old.
func newRegistry() *fakeecr.Server {
	server := fakeecr.New()
	for _, name := range []string{"team-a/api", "team-a/web", "team-b/api"} {
		server.CreateRepository(name)
		for days := 40; days > 0; days -= 10 {
			server.Put(name, fakeecr.Image{PushedAt: time.Now().AddDate(0, 0, -days)})
		}
	}
	return server
}

// A report is the part of the answer that the tests look at.
type report struct {
	RunID  string
	Mode   string
	Totals struct {
		Repositories, Evaluated, Expired, Deleted, Skipped int
	}
}

// An outcome is what is expected of an event.
type outcome struct {
	ErrorType                               string
	Mode                                    string
	Repositories, Expired, Deleted, Skipped int
}

func outcomeOf(t *testing.T, a answer) outcome {
	t.Helper()
	if a.failed {
		var failure struct{ ErrorType, ErrorMessage string }
		decode(t, a.body, &failure)
		if failure.ErrorMessage == "" || strings.Contains(failure.ErrorMessage, "\n") {
			t.Errorf("errorMessage is %q, want one line", failure.ErrorMessage)
		}
		return outcome{ErrorType: failure.ErrorType}
	}
	var r report
	decode(t, a.body, &r)
	return outcome{Mode: r.Mode, Repositories: r.Totals.Repositories, Expired: r.Totals.Expired, Deleted: r.Totals.Deleted, Skipped: r.Totals.Skipped}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("the answer is not JSON: %v\n%s", err, text)
	}
}

// TestEvents gives every test event to a function of its own.
func TestEvents(t *testing.T) {
	t.Parallel()
	all := outcome{Mode: "plan", Repositories: 3, Expired: 6}
	want := map[string]outcome{
		"apply.json":                  {Mode: "apply", Repositories: 3, Expired: 6, Deleted: 6},
		"envelope-detail-object.json": {Mode: "plan", Repositories: 2, Expired: 4},
		"envelope-detail-string.json": {Mode: "plan", Repositories: 2, Expired: 4},
		"inline-policy.json":          {Mode: "plan", Repositories: 3, Expired: 9}, // untagged for 7 days
		"misspelt-field.json":         {ErrorType: "RequestError"},
		"one-repository.json":         {Mode: "plan", Repositories: 1, Expired: 2},
		"plan-only.json":              all,
		"references.json":             {ErrorType: "ConfigurationError"}, // it does not say where to write
		"scheduled-rule.json":         all,
		"scheduler-default.json":      all,
		"target-plan.json":            {ErrorType: "RequestError"}, // the configuration has no targets
	}
	files, err := filepath.Glob(filepath.Join(events, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d events, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expected, known := want[name]
			if !known {
				t.Fatal("the event is in no expectation")
			}
			event, err := os.ReadFile(file)
			awstest.NoError(t, err)
			answers, log := env{registry: newRegistry(), configuration: keep2}.invoke(t, string(event))
			awstest.Equal(t, "log:\n"+log+"\noutcome", expected, outcomeOf(t, answers[0]))
		})
	}
	for name := range want {
		if !slices.Contains(files, filepath.Join(events, name)) {
			t.Errorf("event %s is missing", name)
		}
	}
}

func TestRefusedEventsMakeNoCall(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ event, configuration, errorType, message string }{
		"misspelt field":        {`{"mode": "apply", "maxDeletion": 100}`, keep2, "RequestError", "maxDeletion: is not a known key"},
		"wrong case":            {`{"Mode": "apply"}`, keep2, "RequestError", "Mode: is not a known key"},
		"repeated field":        {`{"mode": "plan", "mode": "apply"}`, keep2, "RequestError", "mode: is given twice"},
		"empty repositories":    {`{"repositories": []}`, keep2, "RequestError", "repositories: is empty"},
		"no object":             {`"apply"`, keep2, "RequestError", "must be an object"},
		"null":                  {`null`, keep2, "RequestError", "must be an object"},
		"detail that is no one": {`{"detail-type": "x", "detail": "apply"}`, keep2, "RequestError", "detail: "},
		"policy in apply":       {`{"mode": "apply", "policy": {"rules": []}}`, keep2, "RequestError", "request: "},
		"invalid configuration": {`{}`, `{"protect": {"inuse": []}}`, "ConfigurationError", "protect.inuse: is not a known key"},
		"missing file":          {`{}`, `missing.json`, "ConfigurationError", "read configuration: open missing.json"},
		"a later feature":       {`{"mode": "apply"}`, `{"protect": {"inUse": []}, "report": {"html": true}}`, "ConfigurationError", "report.html"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry := newRegistry()
			answers, _ := env{registry: registry, configuration: test.configuration}.invoke(t, test.event)
			awstest.Equal(t, "outcome", outcome{ErrorType: test.errorType}, outcomeOf(t, answers[0]))
			awstest.Contains(t, answers[0].body, test.message)
			awstest.Equal(t, "operations that were called", 0, len(registry.Calls()))
		})
	}
}

func TestRegistryThatCannotBeListedIsAnError(t *testing.T) {
	t.Parallel()
	registry := newRegistry()
	registry.Fail("DescribeRepositories", "", "AccessDeniedException")
	answers, _ := env{registry: registry, configuration: keep2}.invoke(t, `{}`)
	awstest.Equal(t, "outcome", outcome{ErrorType: "RegistryError"}, outcomeOf(t, answers[0]))
	awstest.Contains(t, answers[0].body, "AccessDeniedException")
}

func TestRepositoryThatCannotBeReadIsInTheReport(t *testing.T) {
	t.Parallel()
	registry := newRegistry()
	registry.Fail("DescribeImages", "team-a/web", "AccessDeniedException")
	answers, log := env{registry: registry, configuration: keep2}.invoke(t, `{"mode": "apply"}`)
	want := outcome{Mode: "apply", Repositories: 3, Expired: 4, Deleted: 4, Skipped: 1}
	awstest.Equal(t, "outcome", want, outcomeOf(t, answers[0]))
	if !strings.Contains(log, `"level":"ERROR","msg":"repository","run_id":"request-1.`) || !strings.Contains(log, `","repository":"team-a/web"`) {
		t.Errorf("the log has no error about team-a/web:\n%s", log)
	}
}

// TestInvocationsOfOneProcessAreIndependent: a warm function plans, is given a
// bad event, applies, and applies again.
func TestInvocationsOfOneProcessAreIndependent(t *testing.T) {
	t.Parallel()
	registry := newRegistry()
	answers, log := env{registry: registry, configuration: keep2}.invoke(t,
		`{"maxDeletions": 0}`, `{"mode": "aply"}`, `{"mode": "apply"}`, `{"mode": "apply"}`)
	want := []outcome{
		{Mode: "plan", Repositories: 3, Expired: 6, Skipped: 3},
		{ErrorType: "RequestError"},
		{Mode: "apply", Repositories: 3, Expired: 6, Deleted: 6},
		{Mode: "apply", Repositories: 3},
	}
	for i, a := range answers {
		awstest.Equal(t, fmt.Sprint("outcome ", i), want[i], outcomeOf(t, a))
	}
	var last report
	decode(t, answers[3].body, &last)
	if !strings.HasPrefix(last.RunID, "request-4.") {
		t.Errorf("runId is %q, want the request's", last.RunID)
	}
	lines := countLines(t, log)
	awstest.Equal(t, "log lines by message", map[string]int{"run": 3, "metrics": 3, "repository": 9, "image": 6, "images": 3, "intent": 6}, lines)
}

// countLines counts the lines of a log by message. What is not JSON is the
// runtime library's farewell.
func countLines(t *testing.T, log string) map[string]int {
	t.Helper()
	lines := map[string]int{}
	for line := range strings.Lines(log) {
		var entry struct{ Msg string }
		if strings.HasPrefix(line, "{") {
			decode(t, line, &entry)
			lines[entry.Msg]++
		}
	}
	return lines
}

// TestRunEndsBeforeItsDeadline: more repositories than the time allows are not
// begun, and the answer is out before Lambda would kill the function.
func TestRunEndsBeforeItsDeadline(t *testing.T) {
	t.Parallel()
	const repositories = 2000
	registry := fakeecr.New()
	for i := range repositories {
		registry.CreateRepository(fmt.Sprintf("team/%04d", i))
	}
	registry.Latency("DescribeImages", 60*time.Millisecond)
	answers, log := env{registry: registry, configuration: keep2, timeout: 2 * time.Second}.invoke(t, `{"mode": "apply"}`)
	var r struct {
		Incomplete bool
		Totals     struct{ Repositories, Skipped int }
	}
	decode(t, answers[0].body, &r)
	if !r.Incomplete || r.Totals.Repositories != repositories || r.Totals.Skipped == 0 || r.Totals.Skipped == repositories {
		t.Errorf("report is %+v, want some of %d repositories skipped", r, repositories)
	}
	awstest.Equal(t, "repositories skipped for the deadline", r.Totals.Skipped, strings.Count(log, `"skipped":"deadline"`))
	if len(answers[0].body) > 200_000 {
		t.Errorf("the answer has %d bytes", len(answers[0].body))
	}
}

// A request that Lambda hands out twice makes two runs, which the log must not
// confuse: one may remove what the other died over.
func TestEachAttemptAtARequestIsARunOfItsOwn(t *testing.T) {
	t.Parallel()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8f5e"})
	one, other := runID(ctx), runID(ctx)
	if one == other || !strings.HasPrefix(one, "8f5e.") || len(one) != len(other) {
		t.Errorf("the runs are %q and %q", one, other)
	}
	awstest.Equal(t, "run outside Lambda", "", runID(t.Context()))
}

func TestTheMemoryLimitFollowsTheFunction(t *testing.T) {
	t.Parallel()
	for size, want := range map[string]int64{"": 128, "128": 128, "256": 256, "10240": 10240, "64": 128, "much": 128} {
		want = want << 20 * 45 / 100
		awstest.Equal(t, "limit in bytes of "+size+" MB", want, memoryLimit(size))
	}
}

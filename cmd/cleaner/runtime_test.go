package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// TestMain runs the real main when the test binary is started as the bootstrap of a function.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// An answer is what the function said to one event.
type answer struct {
	body string
	// failed is true when it came as an error.
	failed bool
}

// secrets are the credentials of the function, which it never says, and words of
// policies, of which it says no more than what is wrong with them.
var secrets = []string{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLETOKEN", "secret-words"}

// An env is the environment of one process of the function.
type env struct {
	registry      http.Handler
	configuration string
	timeout       time.Duration // 15 minutes when zero
	environment   []string      // more of it
}

// invoke starts one process of the function, gives it the events one after the
// other, and returns its answers and its log.
func (w env) invoke(t *testing.T, events ...string) ([]answer, string) {
	t.Helper()
	if w.timeout == 0 {
		w.timeout = 15 * time.Minute
	}
	api := &awstest.RuntimeAPI{Timeout: w.timeout, Events: events}
	runtime := httptest.NewServer(api)
	defer runtime.Close()
	registry := httptest.NewServer(w.registry)
	defer registry.Close()
	var log bytes.Buffer
	cmd := w.command(t.Context(), runtime.URL, registry.URL, &log)
	err := cmd.Run() // ends with an error, since there are no more events
	if len(api.Answers) != len(events) {
		t.Fatalf("%d answers to %d events; %v; log:\n%s", len(api.Answers), len(events), err, &log)
	}
	var answers []answer
	for _, a := range api.Answers {
		answers = append(answers, answer{a.Body, a.Failed})
	}
	for _, secret := range secrets {
		for _, said := range append([]answer{{body: log.String()}}, answers...) {
			if strings.Contains(said.body, secret) {
				t.Errorf("%q is said in\n%s", secret, said.body)
			}
		}
	}
	return answers, log.String()
}

// command returns the function as Lambda starts it.
func (w env) command(ctx context.Context, runtime, registry string, log io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(runtime, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=cleaner", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=" + secrets[0], "AWS_SECRET_ACCESS_KEY=" + secrets[1], "AWS_SESSION_TOKEN=" + secrets[2],
		"AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL=" + registry,
		"CLEANER_CONFIG=" + w.configuration,
		"GOCOVERDIR=" + os.Getenv("GOCOVERDIR"), "GORACE=atexit_sleep_ms=0",
	}, w.environment...)
	return cmd
}

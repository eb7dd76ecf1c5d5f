//go:build integration

package integration_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A request is one run of a program.
type request struct {
	mode          string // plan or apply
	configuration string
	repositories  []string
	deadline      time.Duration // 0 is none that is met
}

// A report has the members of the programs' report that the tests read.
type report struct {
	Mode, Account, Region string
	Incomplete            bool
	Totals                counts
	Repositories          []struct {
		Name, Skipped, Message string
		counts
		Images []struct {
			ImageDigest, Verdict, Outcome, Message string
			ImageTags                              []string
			ProtectedBy                            []struct{ Kind string }
		}
	}
	Calls map[string]int
}

type counts struct {
	Evaluated, Expired, Untagged, Followed, Protected, Deleted, Archived, TagsRemoved, Blocked, Changed, Gone, Failed, NotAttempted, Skipped int
}

// wantTotals checks the totals of a report.
func wantTotals(t *testing.T, what string, got, want counts) {
	t.Helper()
	awstest.Equal(t, what+": totals", want, got)
}

// names returns the names of the repositories in the report.
func (r *report) names() []string {
	var names []string
	for _, repository := range r.Repositories {
		names = append(names, repository.Name)
	}
	return names
}

// A program runs requests on a registry. complete is the expected completeness of the
// run, which the command-line tool reports by its exit status.
type program func(t *testing.T, on *registry, what request, complete bool) report

var programs = map[string]program{"bootstrap": runBootstrap, "ecrclean": runTool}

// environment returns the environment variables of a program.
func (r *registry) environment(more ...string) []string {
	return slices.Concat([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "AWS_ENDPOINT_URL=" + r.url, "AWS_REGION=" + r.region,
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true",
	}, r.keys, more)
}

// tool runs the command-line tool and checks its exit status.
func (r *registry) tool(t *testing.T, status int, args ...string) (stdout []byte) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, "ecrclean"), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = r.environment(), &out, &errs
	err := cmd.Run()
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if got != status {
		t.Fatalf("ecrclean %v ended with %d, want %d\n%s%s", args, got, status, &errs, &out)
	}
	return out.Bytes()
}

func runTool(t *testing.T, on *registry, what request, complete bool) report {
	t.Helper()
	args := []string{what.mode, "--output", "json", "--config", what.configuration}
	if what.mode == "apply" {
		args = append(args, "--yes")
	}
	for _, pattern := range what.repositories {
		args = append(args, "--repositories", pattern)
	}
	if what.deadline > 0 {
		args = append(args, "--deadline", what.deadline.String())
	}
	status := 3
	if complete {
		status = 0
	}
	return decodeReport(t, on.tool(t, status, args...))
}

func decodeReport(t *testing.T, text []byte) report {
	t.Helper()
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("no report: %v\n%s", err, text)
	}
	return r
}

// runBootstrap starts the function with a fake runtime API and gives it one event, in the
// form of EventBridge Scheduler.
func runBootstrap(t *testing.T, on *registry, what request, complete bool) report {
	t.Helper()
	detail := map[string]any{"mode": what.mode}
	if what.repositories != nil {
		detail["repositories"] = what.repositories
	}
	text, err := json.Marshal(detail)
	awstest.NoError(t, err)
	event := fmt.Sprintf(`{"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": %q}`, text)
	answer := on.invokeWithin(t, cmp.Or(what.deadline, 15*time.Minute), event, "CLEANER_CONFIG="+what.configuration)
	r := decodeReport(t, answer)
	if r.Incomplete == complete {
		t.Errorf("incomplete is %t", r.Incomplete)
	}
	return r
}

// invoke gives one event to a new process of the function.
func (r *registry) invoke(t *testing.T, event string, env ...string) []byte {
	t.Helper()
	return r.invokeWithin(t, 15*time.Minute, event, env...)
}

// invokeWithin is invoke for a function with that timeout.
func (r *registry) invokeWithin(t *testing.T, timeout time.Duration, event string, env ...string) []byte {
	t.Helper()
	api := &awstest.RuntimeAPI{Timeout: timeout, Events: []string{event}}
	runtime := httptest.NewServer(api)
	defer runtime.Close()
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "bootstrap"))
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = r.environment(append(slices.Clone(env), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(runtime.URL, "http://"))...)
	err := cmd.Run() // ends with an error, since there are no more events
	if len(api.Answers) == 0 {
		t.Fatalf("no answer; %v\n%s", err, &log)
	}
	return []byte(api.Answers[0].Body)
}

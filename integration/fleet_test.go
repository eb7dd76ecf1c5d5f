//go:build integration

package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// The accounts accountA and accountB have a registry each, in eu-west-1. A task of A, and a service
// and a task definition of B, use images of both.
const (
	accountA = "222222222222"
	accountB = "333333333333"
)

// A fleetTest runs the fleet's state machine on moto. Each event starts the function's binary.
type fleetTest struct {
	*machine
	configuration string
	timeout       time.Duration // of the function

	mu     sync.Mutex
	events []event
	// faults has an answer instead of moto's, by unit.
	faults map[string]func(http.ResponseWriter, *http.Request) (answered bool)
	// before is called before each event; kill kills the function.
	before func(e event, kill context.CancelFunc)
	late   string // an image that something begins to use during the execution
}

// newFleet starts moto with the state machine of these targets, a JSON array.
func newFleet(t *testing.T, targets, members string) *fleetTest {
	t.Helper()
	f := &fleetTest{timeout: 15 * time.Minute, faults: map[string]func(http.ResponseWriter, *http.Request) bool{}}
	f.configuration = strings.TrimSuffix(everything(`"inUse": ["ecs", "lambda"], "ecs": {"daemons": false, "taskSets": false, "rules": false,
	  "schedules": false, "pipes": false, "stateMachines": false}`), "}") + `, "targets": ` + targets + members + `}`
	f.machine = startMachine(t, f.answer)
	f.put(t, "/"+bucket+"/configuration.json", f.configuration)
	return f
}

// answer runs the function with the event.
func (f *fleetTest) answer(w http.ResponseWriter, e event) {
	ctx, kill := context.WithTimeout(f.Context(), 3*time.Minute)
	defer kill()
	f.mu.Lock()
	f.events = append(f.events, e)
	f.mu.Unlock()
	if f.before != nil {
		f.before(e, kill)
	}
	on := f.registryOf(e)
	api := &awstest.RuntimeAPI{Timeout: f.timeout, Events: []string{string(e.text)}}
	runtime := httptest.NewServer(api)
	defer runtime.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "bootstrap"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = on.environment("AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(runtime.URL, "http://"), "CLEANER_CONFIG=s3://"+bucket+"/configuration.json",
		"CLEANER_FLEET=s3://"+bucket+"/"+prefix, "CLEANER_STATE_MACHINE="+machineARN, "CLEANER_CONCURRENCY=2")
	_ = cmd.Run() // it ends with an error, since there are no more events
	if strings.Contains(log.String(), externalID) {
		f.Errorf("the log of %s has the external ID", e.text)
	}
	switch {
	case len(api.Answers) == 0:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		_, _ = io.WriteString(w, `{"errorType": "Runtime.ExitError", "errorMessage": "killed"}`)
	case api.Answers[0].Failed:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		fallthrough
	default:
		_, _ = io.WriteString(w, api.Answers[0].Body) // moto may have gone
	}
}

// registryOf returns where the function sends its calls: to moto, perhaps behind a proxy.
func (f *fleetTest) registryOf(e event) *registry {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault := f.faults[e.unit()]; fault != nil {
		return f.through(fault)
	}
	return f.registry
}

// target returns a target in the account and these Regions.
func target(account string, regions ...string) string {
	text, _ := json.Marshal(regions)
	return fmt.Sprintf(`{"account": %q, "regions": %s, "externalId": %q, "roleArn": "arn:aws:iam::%s:role/reader", "applyRoleArn": "arn:aws:iam::%s:role/remover"}`,
		account, text, externalID, account, account)
}

// fill creates a repository with ten images, v0 to v9, which all accounts may pull.
func (f *fleetTest) fill(account, repository string, images int) *site {
	f.Helper()
	s := f.site.as("arn:aws:iam::" + account + ":role/filler")
	s.create(f.T, repository, "")
	for n := range images {
		s.add(repository, image{name: fmt.Sprint("v", n), tags: []string{fmt.Sprint("v", n)}})
	}
	policy := `{"Version": "2012-10-17", "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": {"AWS": ["` + accountA + `", "` + accountB + `"]}, ` + pull + `}]}`
	_, err := s.client.SetRepositoryPolicy(f.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: &repository, PolicyText: &policy})
	f.done(err)
	return s
}

func uriOf(account, image string) string { return account + ".dkr.ecr.eu-west-1.amazonaws.com/" + image }

// work starts what uses images: v1 of both registries in A, v2 and v3 in B.
func (f *fleetTest) work() (a, b *site) {
	f.Helper()
	a, b = f.fill(accountA, "app", 10), f.fill(accountB, "app", 10)
	a.cluster()
	b.cluster()
	for i, registry := range []string{accountA, accountB} {
		a.run(a.define(fmt.Sprint("one", i), uriOf(registry, "app:v1")))
		b.serve(fmt.Sprint("two", i), b.define(fmt.Sprint("two", i), uriOf(registry, "app:v2")))
		b.define(fmt.Sprint("three", i), uriOf(registry, "app:v3"))
	}
	return a, b
}

// inUseOfBoth are the images that are left.
var inUseOfBoth = []string{"v1", "v2", "v3"}

// report returns the judge's report of an execution.
func (f *fleetTest) report(name string) fleet.Report {
	f.Helper()
	var r fleet.Report
	f.object(prefix+name+"/report.json", &r)
	awstest.Equal(f, "expected", r.Expected, r.Done+r.Skipped+r.Failed)
	return r
}

// TestTheFleet: 200 registries of 50 accounts in four Regions. Everything expired is
// deleted, and nothing that any account uses.
func TestTheFleet(t *testing.T) {
	t.Parallel()
	targets := []string{target(accountA, "eu-west-1", "us-east-1", "us-west-2", "eu-central-1"), target(accountB, "eu-west-1", "us-east-1", "us-west-2", "eu-central-1")}
	for n := range 48 {
		targets = append(targets, target(fmt.Sprintf("5%011d", n), "eu-west-1", "us-east-1", "us-west-2", "eu-central-1"))
	}
	f := newFleet(t, "["+strings.Join(targets, ", ")+"]", "")
	a, b := f.work()
	other := f.fill("500000000007", "unused", 3)
	end := f.end(f.start("night", `{"mode": "apply"}`))
	if end.Status != "SUCCEEDED" {
		t.Fatalf("%s: %s", end.Status, aws.ToString(end.Cause))
	}
	r := f.report("night")
	awstest.Equal(t, "expected, done, deleted", [3]int{200, 200, 17}, [3]int{r.Expected, r.Done, r.Totals.Deleted})
	awstest.Equal(t, "left in A", inUseOfBoth, a.left(t, "app"))
	awstest.Equal(t, "left in B", inUseOfBoth, b.left(t, "app"))
	awstest.Equal(t, "left elsewhere", []string{}, other.left(t, "unused"))
	units := map[string]int{}
	for _, e := range f.events {
		units[e.unit()]++
	}
	awstest.Equal(t, "different events", 3+1+200+200, len(units)) // three steps before the judge
	for unit, n := range units {
		if n != 1 {
			t.Errorf("%d events for %s", n, unit)
		}
	}
}

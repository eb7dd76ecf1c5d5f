//go:build integration

package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// The accounts of the organization, by what is wrong with them.
const (
	deniedScan  = "600000000001" // ECS is denied to the reading role
	deniedRole  = "600000000002" // the removing role cannot be assumed
	suspended   = "600000000003"
	throttled1  = "600000000004" // ECR accepts one call a second, and the lists grow old meanwhile
	killed      = "600000000005" // the function is killed during its second deletion
	lostOutcome = "600000000006" // the outcome object is deleted before the judge reads it
	emptyOne    = "600000000007" // has no repository
)

const organizationTarget = `{"organization": {"roleArn": "arn:aws:iam::` + accountA + `:role/organization"}, "regions": ["eu-west-1"], "externalId": "` + externalID + `",
  "roleArn": "arn:aws:iam::*:role/reader", "applyRoleArn": "arn:aws:iam::*:role/remover", "limits": {"maxDeletions": 8}}`

// organization answers as AWS Organizations does, with the State of each account.
func organization(w http.ResponseWriter, r *http.Request) bool {
	_, operation, isIt := strings.Cut(r.Header.Get("X-Amz-Target"), "AWSOrganizationsV20161128.")
	if !isIt {
		return false
	}
	accounts := []inusetest.Object{}
	for _, id := range []string{accountA, accountB, deniedScan, deniedRole, suspended, throttled1, killed, lostOutcome, emptyOne} {
		state := "ACTIVE"
		if id == suspended {
			state = "SUSPENDED"
		}
		accounts = append(accounts, inusetest.Object{
			"Id": id, "Arn": "arn:aws:organizations::" + accountA + ":account/o-exampleorgid/" + id, "Email": "a@example.com", "Name": id,
			"State": state, "JoinedMethod": "CREATED", "JoinedTimestamp": 1600000000,
		})
	}
	inusetest.Answer(w, http.StatusOK, map[string]inusetest.Object{
		"DescribeOrganization": {"Organization": inusetest.Object{"Id": "o-exampleorgid", "MasterAccountId": accountA}},
		"ListAccounts":         {"Accounts": accounts},
	}[operation])
	return true
}

// denyECS denies the calls of ECS.
func denyECS(w http.ResponseWriter, r *http.Request) bool {
	if !strings.Contains(r.Header.Get("X-Amz-Target"), "AmazonEC2ContainerServiceV20141113.") {
		return false
	}
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	inusetest.Answer(w, http.StatusBadRequest, inusetest.Object{"message": "not authorized"})
	return true
}

// denyRemover denies to assume the removing role.
func denyRemover(w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body)) // most bodies are JSON
	if form.Get("Action") != "AssumeRole" || !strings.HasSuffix(form.Get("RoleArn"), "/remover") {
		return false
	}
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`)
	return true
}

// oncePerSecond accepts one call of ECR a second, after the first eight.
func oncePerSecond() func(http.ResponseWriter, *http.Request) bool {
	const burst = 8 * time.Second
	var mu sync.Mutex
	full := time.Now().Add(-burst) // when the calls that were saved up are used up
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AmazonEC2ContainerRegistry") {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if oldest := now.Add(-burst); full.Before(oldest) {
			full = oldest
		}
		if next := full.Add(time.Second); !next.After(now) {
			full = next
			return false
		}
		w.Header().Set("X-Amzn-Errortype", "ThrottlingException")
		inusetest.Answer(w, http.StatusBadRequest, inusetest.Object{"message": "Rate exceeded"})
		return true
	}
}

// admit lets further accounts pull from a repository.
func (s *site) admit(repository string, accounts ...string) {
	s.Helper()
	text, err := json.Marshal(accounts)
	s.done(err)
	policy := `{"Version": "2012-10-17", "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": {"AWS": ` + string(text) + `}, ` + pull + `}]}`
	_, err = s.client.SetRepositoryPolicy(s.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: &repository, PolicyText: &policy})
	s.done(err)
}

// rewrite changes members of an object of the bucket.
func (f *fleetTest) rewrite(key string, members map[string]any) {
	var object map[string]any
	f.object(key, &object)
	maps.Copy(object, members)
	text, err := json.Marshal(object)
	f.done(err)
	f.done(awsclient.PutObject(f.Context(), awsclient.Local(f.url, "eu-west-1"), "s3://"+bucket+"/"+key, text, time.Now()))
}

// TestTheFleetWithFaults: an execution in which one thing or another fails in most accounts.
// The judge names each, nothing in use is deleted, and all else is.
func TestTheFleetWithFaults(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "["+target(accountA, "eu-west-1")+", "+target(accountB, "eu-west-1")+", "+organizationTarget+"]", "")
	f.timeout = 20 * time.Second
	f.slow = map[string]time.Duration{"apply " + throttled1 + "/eu-west-1": 24 * time.Second}
	a, b := f.work()
	shared := f.fill(accountA, "shared", 3)
	shared.admit("shared", deniedScan)
	own := map[string]*site{}
	for _, account := range []string{deniedScan, deniedRole, killed, lostOutcome} {
		own[account] = f.fill(account, "own", 3)
	}
	f.fill(killed, "other", 3)
	for n := range 12 {
		own[throttled1] = f.fill(throttled1, fmt.Sprint("own", n), 2)
	}
	f.faults = map[string]func(http.ResponseWriter, *http.Request) bool{
		"targets": organization, "references " + deniedScan + "/eu-west-1": denyECS, "apply " + deniedRole + "/eu-west-1": denyRemover,
		"apply " + throttled1 + "/eu-west-1": oncePerSecond(),
	}
	var second, old sync.Once
	f.before = func(e event, kill context.CancelFunc) {
		switch {
		case e.Execution != "first": // the second execution
		case e.unit() == "apply "+killed+"/eu-west-1":
			var deletions atomic.Int32
			f.mu.Lock()
			defer f.mu.Unlock()
			f.faults[e.unit()] = func(_ http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchDeleteImage") || deletions.Add(1) == 1 {
					return false
				}
				_, _ = io.Copy(io.Discard, r.Body) // the server notices the end of a client that was read
				kill()
				<-r.Context().Done()
				return true
			}
		case e.Step == "barrier":
			second.Do(func() { f.secondExecution() })
		case e.unit() == "apply "+throttled1+"/eu-west-1" && string(e.Continuation) != "null":
			old.Do(func() { // the lists grow old, and something begins to use an image that is left
				f.rewrite(prefix+"first/barrier/1.json", map[string]any{"oldest": time.Now().Add(-2 * time.Hour)})
				left := own[throttled1].firstLeft(12)
				b.run(b.define("late", uriOf(throttled1, left)))
				f.mu.Lock()
				defer f.mu.Unlock()
				f.late = left
			})
		case e.Step == "judge":
			f.registry.aws(t, "", "s3", "rm", "s3://"+bucket+"/"+prefix+"first/outcomes/"+lostOutcome+"/eu-west-1.json")
		}
	}
	f.registry.tool(t, 0, "fleet", "apply", "--state-machine", machineARN, "--name", "first", "--yes")
	end := f.end(strings.Replace(machineARN, ":stateMachine:", ":execution:", 1) + ":first")
	awstest.Equal(t, "status", "FAILED", string(end.Status))
	awstest.Contains(t, aws.ToString(end.Cause), "not handled", prefix+"first/report.json")
	f.judged(f.report("first"))

	awstest.Equal(t, "left in A", inUseOfBoth, a.left(t, "app"))
	awstest.Equal(t, "left in B", inUseOfBoth, b.left(t, "app"))
	whole := []string{"v0", "v1", "v2"}
	awstest.Equal(t, "left of what the account without a list may pull", whole, shared.left(t, "shared"))
	awstest.Equal(t, "left in its own registry", whole, own[deniedScan].left(t, "own"))
	awstest.Equal(t, "left without the removing role", whole, own[deniedRole].left(t, "own"))
	awstest.Equal(t, "left where the outcome was lost", []string{}, own[lostOutcome].left(t, "own"))
	left := 0
	for n := range 12 {
		left += len(own[throttled1].left(t, fmt.Sprint("own", n)))
	}
	if left < 16 { // of 24; maxDeletions is 8
		t.Errorf("%d images are left of the throttled registry", left)
	}
	if f.late == "" {
		t.Fatal("the throttled registry was not continued")
	}
	repository, tag, _ := strings.Cut(f.late, ":")
	if !slices.Contains(own[throttled1].left(t, repository), tag) {
		t.Errorf("%s began to be used, and is gone", f.late)
	}
	f.registry.tool(t, 3, "fleet", "status", "first", "--state-machine", machineARN)
	report := string(f.registry.tool(t, 3, "fleet", "report", "first", "--state-machine", machineARN, "-o", "wide"))
	awstest.Contains(t, report, deniedScan, deniedRole, killed, lostOutcome, "SUSPENDED")
}

// firstLeft returns the first image that is left in the repositories own0, own1 and so on, as
// seen from the last.
func (s *site) firstLeft(repositories int) string {
	s.Helper()
	for n := repositories - 1; n >= 0; n-- {
		if left := s.left(s.T, fmt.Sprint("own", n)); len(left) > 0 {
			return fmt.Sprintf("own%d:%s", n, left[0])
		}
	}
	s.Fatal("nothing is left")
	return ""
}

// secondExecution starts another execution, which must end without acting.
func (f *fleetTest) secondExecution() {
	end := f.end(f.start("second", `{"mode": "apply"}`))
	awstest.Equal(f, "status of the second execution", "SUCCEEDED", string(end.Status))
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		if e.Execution == "second" && e.Step != "targets" {
			f.Errorf("the second execution sent %s", e.text)
		}
	}
}

// judged checks how each target ended.
func (f *fleetTest) judged(r fleet.Report) {
	f.Helper()
	got := map[string]string{}
	for _, end := range r.Targets {
		got[end.Account] = string(end.Outcome)
		for _, want := range map[string][]string{
			deniedRole: {"assume role", "remover"}, suspended: {"SUSPENDED"}, killed: {"run 1", "began and did not end"},
			lostOutcome: {"it has no outcome"}, deniedScan: {"in-use scan"},
		}[end.Account] {
			if !strings.Contains(end.Message, want) {
				f.Errorf("%s: %q lacks %q", end.Account, end.Message, want)
			}
		}
		// Not all that expires is deleted: maxDeletions is lower, and on a slow machine calls fail.
		if end.Account == throttled1 && (end.Rounds < 2 || end.Totals.Deleted > 8 || end.Message == "") {
			f.Errorf("%d runs of the throttled registry deleted %d", end.Rounds, end.Totals.Deleted)
		}
	}
	awstest.Equal(f, "outcomes", map[string]string{
		accountA: "failed", accountB: "done", deniedScan: "failed", deniedRole: "failed", suspended: "skipped",
		throttled1: "failed", killed: "failed", lostOutcome: "failed", emptyOne: "done",
	}, got)
	awstest.Equal(f, "expected, done, skipped, failed", [4]int{9, 2, 1, 6}, [4]int{r.Expected, r.Done, r.Skipped, r.Failed})
}

package fakeecr_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// call makes a call about "app" or the given repository, and returns the error code or
// "".
func call(t *testing.T, s *fakeecr.Server, operation string, repo ...string) string {
	t.Helper()
	name := append(repo, "app")[0]
	_, answer := post(t, s, operation, `{"repositoryName": "`+name+`"}`)
	code, _ := answer["__type"].(string)
	return code
}

func TestThrottledOnceThenAnswered(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client := newClient(t, s, 2)
	s.FailNext("DescribeImages", "", "ThrottlingException", 1)
	if _, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app")}); err != nil {
		t.Errorf("with two attempts: %v", err)
	}
	if got := s.Calls()["DescribeImages"]; got != 2 {
		t.Errorf("got %d calls, want 2", got)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		burst := func(operation string) int {
			for n := range 10 {
				if call(t, s, operation) == "ThrottlingException" {
					return n
				}
			}
			return 10
		}
		s.Throttle("ListImages", 2, 3)
		s.Throttle("", 0, 1)
		for _, step := range []struct {
			after           time.Duration
			operation       string
			want            int
			whatIsTestedFor string
		}{
			{0, "ListImages", 3, "the burst"},
			{time.Second, "ListImages", 2, "the rate"},
			{time.Hour, "ListImages", 3, "no more than the burst after a long rest"},
			{0, "DescribeImages", 1, "the general throttle"},
			{time.Hour, "DescribeImages", 0, "no refill without a rate"},
		} {
			time.Sleep(step.after)
			if got := burst(step.operation); got != step.want {
				t.Errorf("%s: got %d calls through, want %d", step.whatIsTestedFor, got, step.want)
			}
		}
		s.Throttle("", 0, 0)
		s.Throttle("ListImages", 0, 0)
		if got := burst("ListImages"); got != 10 {
			t.Errorf("after throttling: got %d calls through, want 10", got)
		}
		s.Throttle("ListImages", 1, 0)
		if got := burst("ListImages"); got != 1 {
			t.Errorf("without a burst: got %d calls through, want 1", got)
		}
	})
}

func TestThrottledCallsSayRateExceeded(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Throttle("ListImages", 0, 1)
	in := &ecr.ListImagesInput{RepositoryName: aws.String("app")}
	must[*ecr.ListImagesOutput](t)(client.ListImages(t.Context(), in))
	_, err := client.ListImages(t.Context(), in)
	wantMessage(t, err, "ThrottlingException", "Rate exceeded")
}

func TestLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Latency("", time.Second)
		s.Latency("ListImages", time.Minute)
		s.Latency("DescribeImages", 0)
		for operation, want := range map[string]time.Duration{
			"ListImages": time.Minute, "DescribeImages": 0, "GetLifecyclePolicy": time.Second,
		} {
			begin := time.Now()
			call(t, s, operation)
			if got := time.Since(begin); got != want {
				t.Errorf("%s took %v, want %v", operation, got, want)
			}
		}
	})
}

func TestCallersThatLeaveGetNothing(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1)})
	s.Latency("BatchDeleteImage", time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := client.BatchDeleteImage(ctx, &ecr.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: byDigest(digest(1))})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want the deadline", err)
	}
	if got := left(s); got != "01:" {
		t.Errorf("got left %q, want 01:", got)
	}
}

func TestCallersThatLeaveAreNotCounted(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Latency("ListImages", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := newRequest(ctx, "ListImages", strings.NewReader("{}"))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if calls := s.Calls(); w.Body.Len() != 0 || len(calls) != 0 {
		t.Errorf("got answer %q and calls %v, want none", w.Body, calls)
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.CreateRepository("base")
	want := func(operation, repo, code string) {
		t.Helper()
		if got := call(t, s, operation, repo); got != code {
			t.Errorf("%s of %s: got %q, want %q", operation, repo, got, code)
		}
	}
	s.Fail("ListImages", "app", "AccessDeniedException")
	want("ListImages", "app", "AccessDeniedException")
	want("ListImages", "base", "")
	want("DescribeImages", "app", "")
	s.Fail("ListImages", "", "ServerException")
	want("ListImages", "app", "AccessDeniedException")
	want("ListImages", "base", "ServerException")
	s.Fail("", "app", "KmsException")
	want("DescribeImages", "app", "KmsException")
	want("DescribeImages", "base", "")
	s.Fail("", "", "InternalFailure")
	want("DescribeImages", "base", "InternalFailure")
	for _, key := range [][2]string{{"ListImages", "app"}, {"ListImages", ""}, {"", "app"}, {"", ""}} {
		s.Fail(key[0], key[1], "")
	}
	want("ListImages", "app", "")
	s.FailNext("ListImages", "app", "ServerException", 2)
	want("ListImages", "app", "ServerException")
	want("ListImages", "app", "ServerException")
	want("ListImages", "app", "")
}

func TestFailKnowsTheRepositoryOfEveryOperation(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Fail("", "app", "AccessDeniedException")
	const user = "User: arn:aws:sts::123456789012:assumed-role/cleaner/session is not authorized to perform: "
	for _, c := range []struct{ operation, body, action string }{
		{"DescribeRepositories", `{"repositoryNames": ["app"]}`, "ecr:DescribeRepositories"},
		{"ListTagsForResource", `{"resourceArn": "` + appARN + `"}`, "ecr:ListTagsForResource"},
		{"ListImageReferrers", `{"repositoryName": "app"}`, "ecr:BatchGetImage"},
	} {
		_, got := post(t, s, c.operation, c.body)
		want := map[string]any{
			"__type": "AccessDeniedException",
			"message": user + c.action + " on resource: " + appARN +
				" because no identity-based policy allows the " + c.action + " action",
		}
		awstest.Equal(t, c.operation, want, got)
	}
	if got := call(t, s, "DescribeRepositories"); got != "SerializationException" {
		t.Errorf("got %s", got)
	}
}

func TestServerFaultsAreFiveHundreds(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		"ServerException":     http.StatusInternalServerError,
		"ServiceUnavailable":  http.StatusServiceUnavailable,
		"ValidationException": http.StatusBadRequest,
	} {
		s := newServer(t)
		s.Fail("ListImages", "", code)
		if got, _ := post(t, s, "ListImages", `{"repositoryName": "app"}`); got != want {
			t.Errorf("%s: got status %d, want %d", code, got, want)
		}
	}
}

func TestBeforeChangesTheRegistry(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Before("DescribeImages", func() { s.DeleteRepository("app") })
	s.Before("", func() { s.CreateRepository("app") })
	for _, step := range []struct{ operation, want string }{
		{"ListImages", ""},
		{"DescribeImages", "RepositoryNotFoundException"},
		{"ListImages", ""},
	} {
		if got := call(t, s, step.operation); got != step.want {
			t.Errorf("%s: got %q, want %q", step.operation, got, step.want)
		}
	}
	s.Before("DescribeImages", nil)
	s.Before("", nil)
	if got := call(t, s, "DescribeImages"); got != "" {
		t.Errorf("without functions: got %q", got)
	}
	s.Before("ListImages", func() { s.Fail("ListImages", "", "ServerException") })
	if got := call(t, s, "ListImages"); got != "ServerException" {
		t.Errorf("a function that has the call fail: got %q", got)
	}
}

func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Throttle("ListImages", 0, 1)
	s.Fail("GetLifecyclePolicy", "", "ServerException")
	for _, operation := range []string{"ListImages", "ListImages", "GetLifecyclePolicy", "Unknown"} {
		call(t, s, operation)
	}
	want := map[string]int{"ListImages": 2, "GetLifecyclePolicy": 1, "Unknown": 1}
	awstest.Equal(t, "calls", want, s.Calls())
	s.ResetCalls()
	if got := s.Calls(); len(got) != 0 {
		t.Errorf("after reset: got %v", got)
	}
}

// The race detector checks this test.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				d := digest(100*i + j)
				s.Put("app", fakeecr.Image{Digest: d, Tags: []string{"latest"}, Children: []string{digest(9999)}})
				s.Throttle("ListTagsForResource", float64(j), 1)
				s.Images("app")
				in := ecr.DescribeImagesInput{RepositoryName: aws.String("app"), MaxResults: aws.Int32(50)}
				if _, err := describe(t.Context(), client, in); err != nil {
					t.Error(err)
				}
				pull(t, client, byDigest(d), allTypes...)
				remove(t, client, byDigest(d)...)
			}
		})
	}
	wg.Wait()
	if got := left(s); got != "" {
		t.Errorf("got left %q, want nothing", got)
	}
}

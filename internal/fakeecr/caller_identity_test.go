package fakeecr_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// newSTS returns the SDK's client for STS on the server. It tries once.
func newSTS(t *testing.T, s *fakeecr.Server) *sts.Client {
	t.Helper()
	return sts.NewFromConfig(serve(t, s, 1))
}

func TestGetCallerIdentityNamesASessionOfTheExcludedRole(t *testing.T) {
	t.Parallel()
	s := fakeecr.New(fakeecr.WithAccount("210987654321"))
	s.ExcludePulls(true)
	got := must[*sts.GetCallerIdentityOutput](t)(newSTS(t, s).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))
	if arn := aws.ToString(got.Arn); arn != "arn:aws:sts::210987654321:assumed-role/cleaner/session" {
		t.Errorf("got ARN %s", arn)
	}
	if id, user := aws.ToString(got.Account), aws.ToString(got.UserId); id != "210987654321" || !strings.HasSuffix(user, ":session") {
		t.Errorf("got account %s, user id %s", id, user)
	}
	client := newClient(t, s, 1)
	list := must[*ecr.ListPullTimeUpdateExclusionsOutput](t)(client.ListPullTimeUpdateExclusions(t.Context(), &ecr.ListPullTimeUpdateExclusionsInput{}))
	if want := []string{"arn:aws:iam::210987654321:role/cleaner"}; !slices.Equal(list.PullTimeUpdateExclusions, want) || list.NextToken != nil {
		t.Errorf("got exclusions %q, token %v; want %q", list.PullTimeUpdateExclusions, list.NextToken, want)
	}
	if calls := s.Calls(); calls["GetCallerIdentity"] != 1 || calls["ListPullTimeUpdateExclusions"] != 1 {
		t.Errorf("got calls %v", calls)
	}
}

func TestListPullTimeUpdateExclusionsIsEmptyWithoutExclusion(t *testing.T) {
	t.Parallel()
	status, answer := post(t, newServer(t), "ListPullTimeUpdateExclusions", `{"maxResults": 1}`)
	if list, ok := answer["pullTimeUpdateExclusions"].([]any); status != http.StatusOK || !ok || len(list) != 0 || len(answer) != 1 {
		t.Errorf("got %d %v, want an empty list", status, answer)
	}
}

func TestListPullTimeUpdateExclusionsChecksItsPage(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"maxResults": 0}`:         "InvalidParameterException",
		`{"maxResults": 1001}`:      "InvalidParameterException",
		`{"nextToken": "x"}`:        "InvalidParameterException",
		`{"registryId": "1"}`:       "SerializationException",
		`{"MaxResults": 1}`:         "SerializationException",
		`{"maxResults": "as many"}`: "SerializationException",
	} {
		if _, answer := post(t, newServer(t), "ListPullTimeUpdateExclusions", body); answer["__type"] != want {
			t.Errorf("%s: got %v, want %s", body, answer, want)
		}
	}
}

func TestGetCallerIdentityCanBeRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client := newSTS(t, s)
	s.Fail("GetCallerIdentity", "", "AccessDenied")
	_, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	wantMessage(t, err, "AccessDenied", "The call is made to fail")
	s.Fail("GetCallerIdentity", "", "")
	s.Throttle("GetCallerIdentity", 0, 1)
	for _, want := range []string{"", "ThrottlingException"} {
		if _, err = client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); want != "" {
			wantMessage(t, err, want, "Rate exceeded")
		} else if err != nil {
			t.Error(err)
		}
	}
}

// query sends a form and returns status and answer.
func query(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	newServer(t).ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestFormsThatAreNoCallToSTS(t *testing.T) {
	t.Parallel()
	const good = "Action=GetCallerIdentity&Version=2011-06-15"
	for _, c := range []struct{ name, method, path, body, want string }{
		{"a GET", http.MethodGet, "/", good, "InvalidAction"},
		{"another path", http.MethodPost, "/sts", good, "InvalidAction"},
		{"another action", http.MethodPost, "/", "Action=AssumeRole&Version=2011-06-15", "InvalidAction"},
		{"another version", http.MethodPost, "/", "Action=GetCallerIdentity&Version=2010-05-08", "InvalidAction"},
		{"nothing", http.MethodPost, "/", "", "InvalidAction"},
		{"a parameter too many", http.MethodPost, "/", good + "&RoleArn=a", "MalformedQueryString"},
		{"a parameter twice", http.MethodPost, "/", good + "&Version=2011-06-15", "MalformedQueryString"},
		{"no form", http.MethodPost, "/", "%zz", "MalformedQueryString"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, answer := query(t, httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body)))
			if status != http.StatusBadRequest || !strings.Contains(answer, "<Code>"+c.want+"</Code>") {
				t.Errorf("got %d %s, want %s", status, answer, c.want)
			}
		})
	}
}

func TestFormsThatBreakOff(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", iotest.ErrReader(http.ErrBodyReadAfterClose))
	if status, answer := query(t, r); status != http.StatusBadRequest || !strings.Contains(answer, "MalformedQueryString") {
		t.Errorf("got %d %s", status, answer)
	}
}

func TestCallersOfSTSThatLeaveAreNotCounted(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Latency("GetCallerIdentity", 1<<40)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.ServeHTTP(httptest.NewRecorder(), r)
	if n := s.Calls()["GetCallerIdentity"]; n != 0 {
		t.Errorf("got %d calls, want none", n)
	}
}

package fakeecr_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// next injects the fault into the next call that can have it.
func next(kind fakeecr.FaultKind) fakeecr.Faults {
	return fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: kind, Nth: 1}}, Delay: time.Minute}
}

// raw sends a call and returns the undecoded answer.
func raw(ctx context.Context, s *fakeecr.Server, operation, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, newRequest(ctx, operation, strings.NewReader(body)))
	return w
}

const deleteOne = `{"repositoryName": "app", "imageIds": [{"imageDigest": "sha256:` +
	`0000000000000000000000000000000000000000000000000000000000000001"}]}`

func TestFaultsOfAnswers(t *testing.T) {
	t.Parallel()
	const whole = `{"imageIds":[{"imageDigest":"sha256:0000000000000000000000000000000000000000000000000000000000000001"}],"failures":[]}`
	for _, c := range []struct {
		kind    fakeecr.FaultKind
		status  int
		has     string // in the body
		json    bool
		carried bool // out
	}{
		{fakeecr.Throttled, 400, "ThrottlingException", true, false},
		{fakeecr.ServerError, 500, "ServerException", true, false},
		{fakeecr.BadGateway, 502, "<html>", false, false},
		{fakeecr.TruncatedJSON, 200, "{", false, true},
		{fakeecr.EmptyAnswer, 200, "", false, true},
		{fakeecr.HTMLAnswer, 200, "<html>", false, true},
		{fakeecr.WrongContentType, 200, whole, true, true},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.Put("app", fakeecr.Image{Digest: digest(1)})
			s.Inject(next(c.kind))
			w := raw(t.Context(), s, "BatchDeleteImage", deleteOne)
			if body := w.Body.String(); w.Code != c.status || !strings.Contains(body, c.has) || json.Valid(w.Body.Bytes()) != c.json {
				t.Errorf("got status %d, body %q", w.Code, body)
			}
			html := []fakeecr.FaultKind{fakeecr.BadGateway, fakeecr.HTMLAnswer, fakeecr.WrongContentType}
			if got := w.Header().Get("Content-Type"); (got == "text/html") != slices.Contains(html, c.kind) {
				t.Errorf("got content type %q", got)
			}
			if carried := left(s) == ""; carried != c.carried {
				t.Errorf("carried out: %v", carried)
			}
			want := []fakeecr.FaultEvent{{Kind: c.kind, Operation: "BatchDeleteImage", Repository: "app", Call: 1}}
			awstest.Equal(t, "events", want, s.FaultEvents())
			if w := raw(t.Context(), s, "ListImages", `{"repositoryName": "app"}`); w.Code != http.StatusOK {
				t.Errorf("the call after it: %d %s", w.Code, w.Body)
			}
		})
	}
}

// The client gets a connection error. The call is carried out or not.
func TestFaultsOfConnections(t *testing.T) {
	t.Parallel()
	for kind, carried := range map[fakeecr.FaultKind]bool{
		fakeecr.Reset: false, fakeecr.LostAnswer: true, fakeecr.CutAnswer: true,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s, client := start(t)
			s.Put("app", fakeecr.Image{Digest: digest(1)})
			s.Inject(next(kind))
			out, err := client.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: byDigest(digest(1))})
			if err == nil {
				t.Errorf("got answer %+v, want an error", out)
			}
			if got := left(s) == ""; got != carried {
				t.Errorf("carried out: %v", got)
			}
			if _, err := client.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("app")}); err != nil {
				t.Errorf("the call after it: %v", err)
			}
			defer func() { // where there is no connection
				if r := recover(); !errors.Is(r.(error), http.ErrAbortHandler) {
					t.Errorf("panic %v", r)
				}
			}()
			s.Inject(next(kind))
			raw(t.Context(), s, "ListImages", `{"repositoryName": "app"}`)
		})
	}
}

func TestSlowAnswersAndLateWork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind    fakeecr.FaultKind
		atOnce  bool // the work is done
		atLast  bool // and is done at last, though the caller has gone
		answers bool
	}{
		{fakeecr.SlowAnswer, true, true, false},
		{fakeecr.LateWork, false, true, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			s.Put("app", fakeecr.Image{Digest: digest(1)})
			s.Inject(next(c.kind))
			ctx, cancel := context.WithCancel(t.Context())
			answered := make(chan bool)
			go func() { answered <- raw(ctx, s, "BatchDeleteImage", deleteOne).Body.Len() > 0 }()
			time.Sleep(time.Second)
			if done := left(s) == ""; done != c.atOnce {
				t.Errorf("%s: done at once: %v", c.kind, done)
			}
			cancel()
			if got := <-answered; got != c.answers {
				t.Errorf("%s: answered: %v", c.kind, got)
			}
			if done := left(s) == ""; done != c.atLast {
				t.Errorf("%s: done: %v", c.kind, done)
			}
			s.Inject(next(c.kind))
			begin := time.Now()
			if w := raw(t.Context(), s, "ListImages", `{"repositoryName": "app"}`); w.Body.String() != `{"imageIds":[]}` || time.Since(begin) != time.Minute {
				t.Errorf("%s: %s after %v", c.kind, w.Body, time.Since(begin))
			}
		})
	}
}

// pages lists all images in pages of two and returns the last digits of their digests.
func pages(t *testing.T, s *fakeecr.Server) (pages []string, code string) {
	t.Helper()
	in := `{"repositoryName": "app", "maxResults": 2`
	for token := ""; len(pages) < 10; {
		body := in + `}`
		if token != "" {
			body = in + `, "nextToken": "` + token + `"}`
		}
		_, answer := post(t, s, "DescribeImages", body)
		if code, failed := answer["__type"].(string); failed {
			return pages, code
		}
		page := ""
		for _, detail := range answer["imageDetails"].([]any) {
			d := detail.(map[string]any)["imageDigest"].(string)
			page += d[len(d)-1:]
		}
		pages = append(pages, page)
		last := token
		if token, _ = answer["nextToken"].(string); token == "" || token == last {
			return pages, token
		}
	}
	return pages, "no end"
}

func TestFaultsOfPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind     fakeecr.FaultKind
		nth      int
		want     string
		wantCode string
	}{
		{"", 1, "12 34 5", ""},
		{fakeecr.ShortPage, 1, "1 23 45", ""},
		{fakeecr.ShortPage, 3, "12 34 5", ""},
		{fakeecr.EmptyPage, 1, " 12 34 5", ""},
		{fakeecr.EmptyPage, 2, "12  34 5", ""},
		{fakeecr.EmptyPage, 3, "12 34  5", ""},
		{fakeecr.RepeatedPage, 1, "12 12 34 5", ""},
		{fakeecr.RepeatedPage, 3, "12 34 5 5", ""},
		{fakeecr.OverlappingPage, 1, "12 23 45", ""},
		{fakeecr.OverlappingPage, 2, "12 34 45", ""},
		{fakeecr.ExpiredToken, 1, "12", "InvalidParameterException"},
		{fakeecr.ExpiredToken, 2, "12 34", "InvalidParameterException"},
	} {
		s := newServer(t)
		for n := range 5 {
			s.Put("app", fakeecr.Image{Digest: digest(n + 1)})
		}
		if c.kind != "" {
			s.Inject(fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: c.kind, Nth: c.nth}}})
		}
		got, code := pages(t, s)
		if strings.Join(got, " ") != c.want || code != c.wantCode {
			t.Errorf("%s, %d: got %q %s, want %s %s", c.kind, c.nth, got, code, c.want, c.wantCode)
		}
	}
}

func TestARepeatedTokenIsTheOneAskedWith(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for n := range 5 {
		s.Put("app", fakeecr.Image{Digest: digest(n + 1)})
	}
	s.Inject(next(fakeecr.RepeatedToken))
	if got, token := pages(t, s); strings.Join(got, " ") != "12 34" || token == "" {
		t.Errorf("got %q, token %q", got, token)
	}
}

// All listings with pages can have faults of pages. Calls with names or identifiers
// cannot.
func TestPagesOfEveryListing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		operation, body string
		hit             bool
	}{
		{"DescribeImages", `{"repositoryName": "app"}`, true},
		{"DescribeRepositories", `{}`, true},
		{"ListImages", `{"repositoryName": "app"}`, true},
		{"ListPullTimeUpdateExclusions", `{}`, true},
		{"ListImageReferrers", `{"repositoryName": "app", "subjectId": {"imageDigest": "` + digest(1) + `"}}`, true},
		{"DescribeRepositories", `{"repositoryNames": ["app"]}`, false},
		{"DescribeImages", deleteOne, false},
	} {
		s := newServer(t)
		s.Put("app", fakeecr.Image{Digest: digest(1)})
		s.Inject(next(fakeecr.EmptyPage))
		_, answer := post(t, s, c.operation, c.body)
		if _, token := answer["nextToken"]; token != c.hit || len(s.FaultEvents()) == 1 != c.hit {
			t.Errorf("%s %s: %v", c.operation, c.body, answer)
		}
	}
}

// The codes are those of the SDK.
func TestRefusedImages(t *testing.T) {
	t.Parallel()
	var known []string
	for _, code := range types.ImageFailureCode("").Values() {
		known = append(known, string(code))
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(known)), slices.Sorted(slices.Values(fakeecr.ImageFailureCodes))); diff != "" {
		t.Errorf("codes mismatch (-SDK +ours)\n%s", diff)
	}
	for _, code := range append(known, "") {
		s, client := start(t)
		ids := byDigest(s.Put("app", fakeecr.Image{}), s.Put("app", fakeecr.Image{}), s.Put("app", fakeecr.Image{}))
		s.Inject(fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: fakeecr.RefusedImages, Nth: 1, Code: code}}})
		out := must[*ecr.BatchDeleteImageOutput](t)(client.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: ids}))
		if len(out.Failures) == 0 || len(out.Failures)+len(out.ImageIds) != 3 || len(s.Images("app")) != len(out.Failures) {
			t.Errorf("%s: %d failures, %d deleted, %d left", code, len(out.Failures), len(out.ImageIds), len(s.Images("app")))
		}
		for _, f := range out.Failures {
			if code != "" && string(f.FailureCode) != code || !slices.Contains(known, string(f.FailureCode)) {
				t.Errorf("got code %s, want %s", f.FailureCode, code)
			}
		}
	}
}

func TestVanishedImage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Put("app", fakeecr.Image{Digest: digest(1)})
	s.Put("app", fakeecr.Image{Digest: digest(2)})
	s.Inject(next(fakeecr.VanishedImage))
	call(t, s, "ListImages")
	_, answer := post(t, s, "BatchDeleteImage", deleteOne)
	failures := answer["failures"].([]any)
	if len(failures) != 1 || failures[0].(map[string]any)["failureCode"] != "ImageNotFound" || left(s) != "02:" {
		t.Errorf("got %v, left %s", answer, left(s))
	}
	want := []fakeecr.FaultEvent{{Kind: fakeecr.VanishedImage, Operation: "BatchDeleteImage", Repository: "app", Call: 1, Vanished: digest(1)}}
	awstest.Equal(t, "events", want, s.FaultEvents())
	for _, repo := range []string{"app", "none"} { // nothing there that could vanish
		s.Inject(next(fakeecr.VanishedImage))
		post(t, s, "BatchDeleteImage", strings.Replace(deleteOne, "app", repo, 1))
		if got := s.FaultEvents(); len(got) != 1 || got[0].Vanished != "" || left(s) != "02:" {
			t.Errorf("%s: %v, left %s", repo, got, left(s))
		}
	}
}

// hitCalls makes calls on two repositories and returns the numbers of the calls on "app"
// that got a fault.
func hitCalls(t *testing.T, f fakeecr.Faults, others int) []int {
	t.Helper()
	s := newServer(t)
	s.CreateRepository("web")
	s.Inject(f)
	for range 200 {
		for range others {
			call(t, s, "ListImages", "web")
		}
		call(t, s, "ListImages")
	}
	var calls []int
	for _, event := range s.FaultEvents() {
		if event.Repository == "app" {
			calls = append(calls, event.Call)
		}
	}
	return calls
}

func TestChanceHangsOnTheSeedAlone(t *testing.T) {
	t.Parallel()
	f := fakeecr.Faults{Seed: 7, Rules: []fakeecr.FaultRule{{Kind: fakeecr.ServerError, Probability: 0.3}}}
	first := hitCalls(t, f, 0)
	if n := len(first); n < 40 || n > 80 {
		t.Errorf("%d of 200 calls got a fault, want about 60", n)
	}
	if diff := cmp.Diff(first, hitCalls(t, f, 3)); diff != "" {
		t.Errorf("other calls change it (-without +with)\n%s", diff)
	}
	f.Seed++
	if slices.Equal(first, hitCalls(t, f, 0)) {
		t.Error("another seed changes nothing")
	}
}

func TestFaultRulesConcernSomeCalls(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.CreateRepository("web")
	s.Inject(fakeecr.Faults{Rules: []fakeecr.FaultRule{
		{Kind: fakeecr.Throttled, Operation: "ListImages", Repository: "web", Nth: 2},
		{Kind: fakeecr.ServerError, Repository: "web", Probability: 1},
		{Kind: fakeecr.Throttled, Operation: "GetLifecyclePolicy", Nth: 1},
	}})
	for _, step := range []struct{ operation, repo, want string }{
		{"ListImages", "app", ""},
		{"ListImages", "web", "ServerException"},
		{"ListImages", "web", "ThrottlingException"},
		{"ListImages", "web", "ServerException"},
		{"GetLifecyclePolicy", "app", "ThrottlingException"},
		{"GetLifecyclePolicy", "app", "LifecyclePolicyNotFoundException"},
	} {
		if got := call(t, s, step.operation, step.repo); got != step.want {
			t.Errorf("%s of %s: got %q, want %q", step.operation, step.repo, got, step.want)
		}
	}
	s.Inject(fakeecr.Faults{})
	if got := call(t, s, "ListImages", "web"); got != "" || len(s.FaultEvents()) > 0 {
		t.Errorf("without faults: got %q, events %v", got, s.FaultEvents())
	}
}

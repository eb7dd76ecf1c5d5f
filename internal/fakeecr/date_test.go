package fakeecr_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// Every kind of answer has the time of the server's own clock.
func TestAnswersCarryTheDateOfTheServersClock(t *testing.T) {
	t.Parallel()
	const listing = `{"repositoryName": "app"}`
	form := func() *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	listImages := func(body string) func() *http.Request {
		return func() *http.Request { return newRequest(t.Context(), "ListImages", strings.NewReader(body)) }
	}
	for name, test := range map[string]struct {
		request func() *http.Request
		prepare func(*fakeecr.Server)
		status  int
	}{
		"an answer":         {request: listImages(listing), status: 200},
		"a fault":           {request: listImages(`{"repositoryName": "none"}`), status: 400},
		"no call":           {request: listImages(`[`), status: 400},
		"a denied call":     {listImages(listing), func(s *fakeecr.Server) { s.Fail("", "", "AccessDeniedException") }, 400},
		"an answer of STS":  {request: form, status: 200},
		"a refusal of STS":  {form, func(s *fakeecr.Server) { s.Fail("GetCallerIdentity", "", "AccessDenied") }, 400},
		"a page of a proxy": {listImages(listing), func(s *fakeecr.Server) { s.Inject(every(fakeecr.BadGateway)) }, 502},
		"an empty answer":   {listImages(listing), func(s *fakeecr.Server) { s.Inject(every(fakeecr.EmptyAnswer)) }, 200},
	} {
		s := newServer(t)
		if test.prepare != nil {
			test.prepare(s)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, test.request())
		if date := w.Header().Get("Date"); w.Code != test.status || date != "Sun, 01 Mar 2026 12:00:00 GMT" {
			t.Errorf("%s: status %d, want %d, with the date %q", name, w.Code, test.status, date)
		}
	}
}

// every injects that kind of fault into every call.
func every(kind fakeecr.FaultKind) fakeecr.Faults {
	return fakeecr.Faults{Rules: []fakeecr.FaultRule{{Kind: kind, Probability: 1}}}
}

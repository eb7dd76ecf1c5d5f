package kubernetes_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A hook that expires the continue tokens of pods waits until the API server has forgotten
// the state of the first page. Then it passes the request on, which gets the status 410.
func (s *site) expires(times int32, expired func(next string)) func(http.ResponseWriter, *http.Request) bool {
	var count atomic.Int32
	return func(_ http.ResponseWriter, r *http.Request) bool {
		token := r.URL.Query().Get("continue")
		if r.URL.Path != "/api/v1/pods" || token == "" || count.Add(1) > times {
			return false
		}
		var last answer
		s.until("the continue token has expired", func() bool {
			last = s.get("/api/v1/pods?limit=500&continue=" + url.QueryEscape(token))
			return last.status == http.StatusGone
		})
		var status struct{ Metadata struct{ Continue string } }
		awstest.NoError(s, json.Unmarshal(last.body, &status))
		expired(status.Metadata.Continue)
		return false
	}
}

// The only pod with the image is on the second page when the list begins. While the token
// of that page expires, the pod moves to the first page.
func TestAnImageInUseThroughoutIsNotMissed(t *testing.T) {
	for _, version := range []string{"1.37", "1.34"} {
		awstest.Parallel(t, version, testImageInUseThroughout)
	}
}

func testImageInUseThroughout(t *testing.T) {
	_, version, _ := strings.Cut(t.Name(), "/")
	s := newSite(t, "--etcd-compaction-interval=1s", "--emulated-version="+version)
	s.allow(builtIns...)
	s.push("moves:v1", "moves:v2", "app:v1")
	s.load(pods, pod("", "app:v1"), 520, func(int) (string, string) { return "app", "v1" })
	s.create(pods, pod("z", "moves:v1"))
	moved := false
	s.through(&proxy{before: s.expires(1, func(next string) {
		s.create(pods, pod("a", "moves:v1"))
		s.remove(pods + "/z")
		moved = true
		// The list with the token of the status 410 lacks the image.
		if rest := s.get("/api/v1/pods?limit=500&continue=" + url.QueryEscape(next)); strings.Contains(string(rest.body), "moves:v1") {
			t.Error("the test is wrong: the rest of the list has the image")
		}
	})})
	s.apply(eks)
	if !moved {
		t.Error("no continue token has expired")
	}
	s.wantLeft("moves:v1", "app:v1")
}

// A list that expires each time fails the scan.
func TestAListThatAlwaysExpiresFailsTheScan(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.allow(builtIns...)
	s.push("app:v1", "app:v2")
	s.load(pods, pod("", "app:v1"), 501, func(int) (string, string) { return "app", "v1" })
	s.through(&proxy{before: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("continue") == "" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusGone)
		_ = json.NewEncoder(w).Encode(object{
			"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": http.StatusGone,
			"metadata": object{"continue": "inconsistent"}, "message": "The provided continue parameter is too old",
		})
		return true
	}})
	s.wantFailure(cleanerKey, eks, "list pods", "3 times", "too old")
	s.wantLeft("app:v1", "app:v2")
}

package scenario_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// A journal records the calls that pass through it.
type journal struct {
	next http.Handler

	mu     sync.Mutex
	calls  []recorded
	before func(recorded)
	lose   bool // the answer to the call under way
}

// A recorded call has the digests that it names.
type recorded struct {
	operation string
	digests   []string
	// asked is the time of the request, answered the time of the answer.
	asked, answered time.Time
}

func (j *journal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	call := recorded{operation: operation, asked: time.Now()}
	var in struct {
		ImageIDs []struct{ ImageDigest string } `json:"imageIds"`
		ImageID  struct{ ImageDigest string }   `json:"imageId"`
	}
	_ = json.Unmarshal(body, &in) // a form names no images
	for _, id := range append(in.ImageIDs, in.ImageID) {
		if id.ImageDigest != "" {
			call.digests = append(call.digests, id.ImageDigest)
		}
	}
	j.mu.Lock()
	place, before := len(j.calls), j.before
	j.calls = append(j.calls, call)
	j.mu.Unlock()
	if before != nil {
		before(call)
	}
	answer := httptest.NewRecorder()
	j.next.ServeHTTP(answer, r)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls[place].answered = time.Now()
	if j.lose {
		j.lose = false
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the caller may have gone
}

// loseAnswer replaces the answer to the next call by a server error. The call is carried
// out.
func (j *journal) loseAnswer() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lose = true
}

// on sets the function that is called before each call.
func (j *journal) on(f func(recorded)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.before = f
}

// removals returns the removing calls as the names of their images.
func (f *fixture) removals() []string {
	var calls []string
	f.journal.mu.Lock()
	defer f.journal.mu.Unlock()
	for _, c := range f.journal.calls {
		if c.operation == "BatchDeleteImage" || c.operation == "UpdateImageStorageClass" {
			names := make([]string, len(c.digests))
			for i, digest := range c.digests {
				names[i] = f.names[digest]
			}
			slices.Sort(names)
			calls = append(calls, strings.Join(names, " "))
		}
	}
	return calls
}

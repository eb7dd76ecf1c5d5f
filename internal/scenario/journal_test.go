package scenario_test

import (
	"bytes"
	"encoding/json"
	"errors"
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

// loseAnswer replaces the answer to the next call by a server error. The call is carried out.
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

var (
	errReset  = errors.New("read: connection reset by peer")
	errKilled = errors.New("the process was killed")
)

// A line sends requests to a handler in this process. As on a network, a caller that
// leaves does not end the work of the handler, and an answer that the handler breaks off
// is incomplete. A line can be cut for good.
type line struct {
	next http.Handler
	// Before the request with the number at, then is called. ofRemoval counts only
	// requests that remove images.
	at        int
	ofRemoval bool
	then      func()

	mu       sync.Mutex
	requests int
	cut      chan struct{}
	work     sync.WaitGroup
}

func newLine(next http.Handler) *line { return &line{next: next, cut: make(chan struct{})} }

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	sent := r.Clone(r.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	l.count(r.Header.Get("X-Amz-Target"))
	select {
	case <-l.cut:
		return nil, errKilled
	default:
	}
	answers := make(chan func() (*http.Response, error), 1)
	l.work.Go(func() { answers <- l.serve(sent) }) //nolint:bodyclose // whoever asks closes it
	select {
	case answer := <-answers:
		return answer()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-l.cut:
		return nil, errKilled
	}
}

func (l *line) count(target string) {
	removes := strings.HasSuffix(target, ".BatchDeleteImage") || strings.HasSuffix(target, ".UpdateImageStorageClass")
	l.mu.Lock()
	counts := removes || !l.ofRemoval
	if counts {
		l.requests++
	}
	now := counts && l.requests == l.at
	l.mu.Unlock()
	if now {
		l.then()
	}
}

// serve returns the part of the answer that arrives.
func (l *line) serve(r *http.Request) (answer func() (*http.Response, error)) {
	w := httptest.NewRecorder()
	defer func() {
		broken := recover()
		err, _ := broken.(error)
		switch {
		case broken == nil:
		case !errors.Is(err, http.ErrAbortHandler):
			panic(broken)
		case w.Flushed:
			answer = func() (*http.Response, error) {
				response := w.Result()
				response.Body = io.NopCloser(io.MultiReader(response.Body, brokenOff{}))
				return response, nil
			}
		default:
			answer = func() (*http.Response, error) { return nil, errReset }
		}
	}()
	l.next.ServeHTTP(w, r)
	return func() (*http.Response, error) { return w.Result(), nil }
}

// brokenOff is the end of a body that is broken off.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

package scenario_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

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

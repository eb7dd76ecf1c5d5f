package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxAttempts = 4               // of one request
	maxWait     = time.Minute     // between two attempts, even if Retry-After is longer
	maxTime     = 2 * time.Minute // of one attempt, until the end of the answer
	maxError    = 64 << 10        // bytes of an answer that is an error
)

// A statusError is an answer with an error.
type statusError struct {
	code       int
	message    string
	retryAfter time.Duration // 0 if the server did not say
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.code, http.StatusText(e.code), e.message)
}

func asStatus(err error) (*statusError, bool) { return errors.AsType[*statusError](err) }

// hasStatus reports whether the error is an answer with one of the codes.
func hasStatus(err error, codes ...int) bool {
	answer, ok := asStatus(err)
	return ok && slices.Contains(codes, answer.code)
}

// A brokenError is an answer that ended early, or a request without an answer.
type brokenError struct{ error }

func (e brokenError) Unwrap() error { return e.error }

// do sends the request for the path and reads the answer. It repeats a request that failed
// for a reason that may pass. A server that has never answered has no second attempt.
func (s *scan) do(ctx context.Context, r request, read func(io.Reader) error) error {
	for attempt := 1; ; attempt++ {
		err := s.attempt(ctx, r, read)
		wait := time.Second << (attempt - 1)
		answer, isAnswer := asStatus(err)
		_, broken := errors.AsType[brokenError](err)
		switch {
		case err == nil, attempt == maxAttempts, ctx.Err() != nil:
			return err
		case isAnswer && (answer.code == http.StatusTooManyRequests || answer.code >= http.StatusInternalServerError):
			wait = max(wait, min(answer.retryAfter, maxWait))
		case !broken || !s.answered:
			return err
		}
		if ended := s.wait(ctx, wait); ended != nil {
			return fmt.Errorf("%w, after: %w", ended, err)
		}
	}
}

// read reads a list in one answer. Begin is called before each attempt.
func (s *scan) read(ctx context.Context, r request, begin func(), item func(text []byte) error) (p page, err error) {
	err = s.do(ctx, r, func(body io.Reader) error {
		begin()
		p, err = readPage(body, item)
		return err
	})
	return p, err
}

// A request is a GET, or a POST if it has a body.
type request struct {
	path, query string
	accept      string // a media type that is preferred to plain JSON, with a comma; or empty
	body        string // JSON
}

func (s *scan) attempt(ctx context.Context, r request, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	req, err := s.newRequest(ctx, r)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return brokenError{err}
	}
	defer func() { _ = resp.Body.Close() }()
	s.answered = true
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return readStatus(resp)
	}
	return read(resp.Body)
}

func (s *scan) newRequest(ctx context.Context, r request) (*http.Request, error) {
	url := s.Server.JoinPath(r.path)
	url.RawQuery = r.query
	method := http.MethodGet
	if r.body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, url.String(), strings.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", r.accept+"application/json")
	req.Header.Set("User-Agent", "ecr-cleaner")
	req.Header.Set("Content-Type", "application/json")
	if s.Token == nil {
		return req, nil
	}
	token, err := s.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("get a token: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

// readStatus reads an error. It is a Status object or plain text.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
func readStatus(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxError)) // the code is known in any case
	var status struct{ Message string }
	if json.Unmarshal(text, &status) != nil || status.Message == "" {
		status.Message = string(bytes.TrimSpace(text))
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // the server sends no dates
	return &statusError{resp.StatusCode, fmt.Sprintf("%.300s", status.Message), time.Duration(min(max(seconds, 0), 3600)) * time.Second}
}

func (s *scan) wait(ctx context.Context, d time.Duration) error {
	if s.Wait != nil {
		return s.Wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

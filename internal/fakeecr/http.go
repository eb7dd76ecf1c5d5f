package fakeecr

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	contentType  = "application/x-amz-json-1.1"
	targetPrefix = "AmazonEC2ContainerRegistry_V20150921."
	maxBody      = 1 << 20
	requestID    = "00000000-0000-0000-0000-000000000000"
)

// ServeHTTP answers one call. If the caller leaves during the latency, the call is
// neither carried out nor counted.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w = datedWriter{w, s.now}
	if isQuery(r) {
		s.serveQuery(w, r)
		return
	}
	name, body, err := readRequest(w, r)
	var answer []byte
	var injected *injection
	if err == nil {
		answer, injected, err = s.answer(r.Context(), name, body)
	}
	if errors.Is(err, context.Canceled) {
		return
	}
	s.controls.count(name)
	injected.respond(r.Context(), w, answer, err)
}

func readRequest(w http.ResponseWriter, r *http.Request) (operation string, body []byte, err error) {
	operation, isTarget := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if r.Method != http.MethodPost || r.URL.Path != "/" || !isTarget || r.Header.Get("Content-Type") != contentType {
		return operation, nil, unknownOperation()
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return operation, nil, &fault{"RequestEntityTooLarge", "the request is larger than 1 MB", http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return operation, nil, unserializable("%v", err)
	}
	return operation, body, nil
}

func unknownOperation() error { return &fault{code: "UnknownOperationException"} }

// answer delays the call and carries it out, unless the test refuses it or injects a
// fault.
func (s *Server) answer(ctx context.Context, name string, body []byte) (answer []byte, injected *injection, err error) {
	read, known := operations[name]
	if !known {
		return nil, nil, unknownOperation()
	}
	if err := s.admit(ctx, name); err != nil {
		return nil, nil, err
	}
	c, err := read(body)
	if err != nil {
		return nil, nil, err
	}
	if err := s.permit(name, c.repo); err != nil {
		return nil, nil, err
	}
	injected = s.injector.draw(name, c.repo, body)
	if err := s.injectBefore(injected, c.repo); err != nil {
		return nil, injected, err
	}
	answer, err = s.run(c, injected)
	return answer, injected, err
}

// admit delays a call of the operation, or throttles it.
func (s *Server) admit(ctx context.Context, name string) error {
	if err := s.controls.wait(ctx, name); err != nil {
		return err
	}
	if !s.controls.admit(name) {
		return s.refusal("ThrottlingException", name, "")
	}
	return nil
}

// permit refuses a valid call if the test says so.
func (s *Server) permit(name, repo string) error {
	s.controls.before(name)
	if code := s.controls.fault(name, repo); code != "" {
		return s.refusal(code, name, repo)
	}
	return nil
}

func (s *Server) run(c call, injected *injection) ([]byte, error) {
	s.mu.Lock()
	s.injection = injected
	answer, err := c.carryOut(s)
	s.injection = nil
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if ready, ok := answer.(encoded); ok {
		return ready, nil
	}
	return json.Marshal(answer)
}

// encoded is an answer in JSON.
type encoded []byte

func writeFault(w http.ResponseWriter, err error) {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		f = &fault{code: "ServerException", message: err.Error()}
	}
	body, _ := json.Marshal(map[string]string{"__type": f.code, "message": f.message})
	w.Header().Set("X-Amzn-ErrorType", f.code)
	write(w, f.httpStatus(), body)
}

func write(w http.ResponseWriter, status int, body []byte) { writeAs(w, contentType, status, body) }

func writeAs(w http.ResponseWriter, contentType string, status int, body []byte) {
	writeHeader(w, contentType, status, len(body))
	_, _ = w.Write(body) // the caller may have gone
}

func writeHeader(w http.ResponseWriter, contentType string, status, length int) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.Header().Set("X-Amzn-RequestId", requestID)
	w.WriteHeader(status)
}

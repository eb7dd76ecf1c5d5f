package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// A lambda is Lambda's side of the runtime API for one process. It has at most one event.
type lambda struct {
	mu       sync.Mutex
	cmd      *exec.Cmd
	began    time.Time
	event    string // "" for none
	ready    time.Duration
	asked    int
	answered bool
	measured
	log bytes.Buffer
	err error
}

const (
	runtimePath = "/2018-06-01/runtime/invocation/"
	// timeout is the maximum in Lambda.
	timeout = 15 * time.Minute
)

func (l *lambda) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if what := strings.TrimPrefix(r.URL.Path, runtimePath); what != "next" {
		l.wall, l.answered = time.Since(l.began), true
		l.out, _ = io.ReadAll(r.Body) // a part of a report is an error later
		if strings.HasSuffix(what, "/error") {
			l.err = fmt.Errorf("the function failed: %s", l.out)
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if l.asked++; l.asked == 1 {
		l.ready = time.Since(l.began)
	}
	if l.event == "" || l.asked > 1 {
		l.peak, _ = peakMemory(l.cmd.Process.Pid) // 0 is visible in the table
		w.WriteHeader(http.StatusGone)
		return
	}
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request")
	w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(timeout).UnixMilli()))
	w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:cleaner")
	_, _ = io.WriteString(w, l.event) // the function may have gone
}

// invoke starts a function, gives it the event and measures from the start to the answer.
// Without an event, it ends at the first request for an event. ready is the time from the
// start to that request.
func invoke(ctx context.Context, bootstrap string, environment []string, event string) (*lambda, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &lambda{event: event}
	server := &http.Server{Handler: l}
	go func() { _ = server.Serve(listener) }() // until Close
	defer func() { _ = server.Close() }()      // the function has ended
	l.cmd = exec.CommandContext(ctx, bootstrap)
	l.cmd.Stderr = &l.log
	l.cmd.Env = append(slices.Clone(environment), "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=cleaner", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST")
	l.mu.Lock() // until the process is known
	l.began = time.Now()
	err = l.cmd.Start()
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	_ = l.cmd.Wait() // with an error, since there are no more events
	l.busy = l.cmd.ProcessState.UserTime() + l.cmd.ProcessState.SystemTime()
	switch {
	case l.err != nil:
		return nil, l.err
	case l.asked == 0, event != "" && !l.answered:
		return nil, fmt.Errorf("%s did not answer:\n%s", bootstrap, &l.log)
	}
	return l, nil
}

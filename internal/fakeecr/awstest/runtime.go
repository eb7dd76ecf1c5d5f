package awstest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A RuntimeAPI is Lambda's side of the runtime API for one process. It hands out the
// events one by one and then answers that there are no more.
type RuntimeAPI struct {
	Timeout time.Duration // of each event
	Events  []string
	Answers []RuntimeAnswer // to the events so far
}

// A RuntimeAnswer is the function's answer to one event.
type RuntimeAnswer struct {
	Body   string
	Failed bool // whether the answer is an error
}

// ServeHTTP implements [http.Handler] for a process that sends one request at a time.
func (a *RuntimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/invocation/")
	if what != "next" {
		body, _ := io.ReadAll(r.Body) // a part of a body fails the test
		a.Answers = append(a.Answers, RuntimeAnswer{string(body), strings.HasSuffix(what, "/error")})
		w.WriteHeader(http.StatusAccepted)
		return
	}
	n := len(a.Answers)
	if len(a.Events) == n {
		w.WriteHeader(http.StatusGone)
		return
	}
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("request-%d", n+1))
	w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(a.Timeout).UnixMilli())) //nolint:forbidigo // of the real process
	w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:cleaner")
	_, _ = io.WriteString(w, a.Events[n]) // the function may have ended
}

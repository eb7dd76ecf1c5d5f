package inusetest

import (
	"encoding/json"
	"math"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// A JSONService plays a service with a JSON API. It answers one call at a time.
type JSONService struct {
	Recorder
	// Reply returns the answer to a call. An answer with a __type is an error. The operation
	// is that of the header X-Amz-Target, or else the last part of the path.
	Reply func(operation string, in Object) Object
	mu    sync.Mutex
}

// ServeHTTP implements [http.Handler].
func (s *JSONService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if operation == "" {
		operation = path.Base(r.URL.Path)
	}
	in := Object{}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		panic(err)
	}
	defer s.Begin(operation)()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.Reply(operation, in)
	status := http.StatusOK
	if code, isError := out["__type"].(string); isError {
		status = http.StatusBadRequest
		w.Header().Set("X-Amzn-Errortype", code)
	}
	Answer(w, status, out)
}

// but returns a service that answers the first calls of an operation in another way.
func (s *JSONService) but(operation string, first int, reply Object) *JSONService {
	return &JSONService{Reply: func(called string, in Object) Object {
		if first > 0 && strings.EqualFold(called, operation) {
			first--
			return reply
		}
		return s.Reply(called, in)
	}}
}

// Page returns at most size items, those for the token in a request. It also returns the
// token of the next page, which is nil for the last page.
func Page[T any](in Object, size int, items []T) (part []T, next any) {
	start, _ := in["nextToken"].(string)
	if text, ok := in["NextToken"].(string); ok {
		start = text
	}
	first := len(start) // the token is a text of that length
	end := min(first+size, len(items))
	if end < len(items) {
		next = strings.Repeat("n", end)
	}
	return append([]T{}, items[first:end]...), next
}

// CheckCalls checks a source that queries a service: the failures of each call, and the
// service in a Region that does not offer it. The actions are those of the source. The
// service must have uses for which the source makes all of the calls.
func CheckCalls(t *testing.T, service *JSONService, newSource func(aws.Config) inuse.Source, actions []string) {
	t.Helper()
	cfg := Config(t, service)
	name := newSource(cfg).Name()
	want, err := Uses(t, newSource(cfg))
	awstest.NoError(t, err)
	takeOut := `take "` + name + `" out of protect.inUse`
	for _, action := range actions {
		_, operation, _ := strings.Cut(action, ":")
		throttled := Object{"__type": "TooManyRequestsException", "message": "Rate exceeded"}
		WantUses(t, newSource(awstest.Attempts(Config(t, service.but(operation, 2, throttled)), 3)), want...)
		for words, reply := range map[[2]string]Object{
			{"not authorized", "; allow the action " + action}: {"__type": "AccessDeniedException", "message": "not authorized"},
			{"not subscribed", takeOut}:                        {"__type": "OptInRequired", "message": "not subscribed"},
			{operation, "the answer is empty"}:                 {"unknown": true},
			{"the answer", ""}:                                 {"nextToken": "n", "NextToken": "n"},
		} {
			WantFailure(t, newSource(Config(t, service.but(operation, math.MaxInt, reply))), words[:]...)
		}
	}
	cfg.HTTPClient = awstest.Client(func(*http.Request) (*http.Response, error) { panic("broken") })
	WantFailure(t, newSource(cfg), "the program is faulty: broken")
	checkNoHost(t, takeOut, newSource)
}

// checkNoHost checks that a source fails soon in a Region that does not offer the service.
func checkNoHost(t *testing.T, takeOut string, newSource func(aws.Config) inuse.Source) {
	t.Helper()
	attempts := 0
	cfg := awsclient.Local("https://service.invalid", Region)
	cfg.HTTPClient = awstest.Client(func(*http.Request) (*http.Response, error) {
		attempts++
		return nil, &net.DNSError{Err: "no such host", Name: "service.invalid", IsNotFound: true}
	})
	WantFailure(t, newSource(cfg), "no such host", "if it is not used here, "+takeOut)
	awstest.Equal(t, "attempts", 2, attempts)
}

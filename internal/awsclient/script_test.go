package awsclient_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// An end is the end of an attempt: an answer or a connection error.
type end struct {
	status int
	body   string
	err    error // of the connection or, with a status, in the middle of the body
}

var (
	listed     = end{200, `{"repositories": [], "taskArns": [], "Functions": [], "Parameter": {"Value": "x"}, "EventBuses": []}`, nil}
	throttled  = end{400, `{"__type": "ThrottlingException"}`, nil}
	refused    = end{0, "", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}
	wasReset   = end{0, "", &net.OpError{Op: "read", Err: syscall.ECONNRESET}}
	serverDown = end{500, `{"__type": "ServerException"}`, nil}
	denied     = end{400, `{"__type": "AccessDeniedException"}`, nil}
)

// passing are temporary faults other than throttling.
var passing = map[string]end{
	"500":                         serverDown,
	"502 from a proxy":            {502, "<html>bad gateway</html>", nil},
	"503":                         {503, "", nil},
	"529":                         {529, "", nil},
	"408":                         {408, "", nil},
	"refused connection":          refused,
	"reset connection":            wasReset,
	"connection closed":           {0, "", io.EOF},
	"host not found":              {0, "", &net.DNSError{Name: "x", IsNotFound: true}},
	"connection that takes long":  {0, "", &net.OpError{Op: "dial", Err: context.DeadlineExceeded}},
	"connection lost in the body": {200, `{"repo`, io.ErrUnexpectedEOF},
	"truncated":                   {200, `{"repositories": [`, nil},
	"page of a proxy":             {200, "<html>sign in</html>", nil},
	"no body":                     {200, "", nil},
	"no member":                   {200, "{}", nil},
	"no member that is asked for": {200, `{"message": "sign in"}`, nil},
}

// A script ends the attempts in its order, and repeats the last end.
type script struct {
	ends []end
	n    int
}

func (s *script) Do(r *http.Request) (*http.Response, error) {
	e := s.ends[min(s.n, len(s.ends)-1)]
	s.n++
	if e.status == 0 {
		return nil, e.err
	}
	body := io.Reader(strings.NewReader(e.body))
	if e.err != nil {
		body = io.MultiReader(body, errReader{e.err})
	}
	return &http.Response{StatusCode: e.status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

func times(n int, e end) []end {
	ends := make([]end, n)
	for i := range ends {
		ends[i] = e
	}
	return ends
}

// operations has one operation for each way of making calls.
var operations = map[string]func(context.Context, aws.Config) error{
	"ECR": listRepositories,
	"ECS": func(ctx context.Context, cfg aws.Config) error {
		_, err := ecs.NewFromConfig(cfg).ListTasks(ctx, nil)
		return err
	},
	"lambda": func(ctx context.Context, cfg aws.Config) error {
		var out functions
		return listFunctions(ctx, cfg, &out)
	},
	"SSM": func(ctx context.Context, cfg aws.Config) error {
		_, err := awsclient.GetParameter(ctx, cfg, "/x", now)
		return err
	},
	"events": func(ctx context.Context, cfg aws.Config) error {
		var out struct{ EventBuses []string }
		return newService(cfg).Post(ctx, "AWSEvents.ListEventBuses", "1.1", struct{}{}, &out)
	},
}

func listRepositories(ctx context.Context, cfg aws.Config) error {
	_, err := ecr.NewFromConfig(cfg).DescribeRepositories(ctx, nil)
	return err
}

// functions is an answer of Lambda.
type functions struct {
	Functions  []struct{ FunctionName string }
	NextMarker *string
}

func listFunctions(ctx context.Context, cfg aws.Config, out *functions) error {
	s := awsclient.Service{Config: cfg, Name: "lambda", SDKID: "Lambda", Clock: func() time.Time { return now }}
	return s.Get(ctx, "ListFunctions", "/2015-03-31/functions", nil, out)
}

// scripted returns a configuration whose clients get these ends.
func scripted(ends ...end) (aws.Config, *script) {
	s := &script{ends: ends}
	return awstest.Offline(s), s
}

// load returns the configuration of the environment.
func load(t *testing.T) aws.Config {
	t.Helper()
	cfg, err := awsclient.Load(t.Context(), "", "")
	awstest.NoError(t, err)
	return cfg
}

// eachService runs a variant of a test with an operation of each service, in synctest bubbles.
func eachService(t *testing.T, variant string, test func(t serviceTest)) {
	t.Helper()
	for service, call := range operations {
		t.Run(strings.TrimSpace(variant+" "+service), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(serviceTest{t, service, call}) })
		})
	}
}

// A serviceTest is a test with an operation of a service.
type serviceTest struct {
	*testing.T
	service string
	call    func(context.Context, aws.Config) error
}

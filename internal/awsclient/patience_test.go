package awsclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
)

// The tests of this file run in bubbles, where pauses take no time.

// An end is one way in which an attempt ends: an answer, or the error of the
// connection.
type end struct {
	status int
	body   string
	err    error // of the connection or, with a status, in the middle of the body
}

var (
	listed     = end{200, `{"repositories": [], "taskArns": [], "Functions": [], "Parameter": {"Value": "x"}}`, nil}
	throttled  = end{400, `{"__type": "ThrottlingException"}`, nil}
	refused    = end{0, "", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}
	wasReset   = end{0, "", &net.OpError{Op: "read", Err: syscall.ECONNRESET}}
	serverDown = end{500, `{"__type": "ServerException"}`, nil}
	denied     = end{400, `{"__type": "AccessDeniedException"}`, nil}
)

// passing are the faults that pass, other than throttling.
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

// A script has the attempts end in its order, the last end again and again.
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

// The operations of the tests, one for each way in which calls are made.
var operations = map[string]func(context.Context, aws.Config) error{
	"ECR": listRepositories,
	"ECS": func(ctx context.Context, cfg aws.Config) error {
		_, err := ecs.NewFromConfig(cfg).ListTasks(ctx, nil)
		return err
	},
	"Lambda": func(ctx context.Context, cfg aws.Config) error {
		_, err := lambda.NewFromConfig(cfg).ListFunctions(ctx, nil)
		return err
	},
	"SSM": func(ctx context.Context, cfg aws.Config) error {
		_, err := awsclient.GetParameter(ctx, cfg, "/x", now)
		return err
	},
}

func listRepositories(ctx context.Context, cfg aws.Config) error {
	_, err := ecr.NewFromConfig(cfg).DescribeRepositories(ctx, nil)
	return err
}

// scripted returns a configuration whose clients meet with these ends.
func scripted(ends ...end) (aws.Config, *script) {
	cfg := awsclient.Local("http://127.0.0.1:1", "eu-west-1")
	s := &script{ends: ends}
	cfg.HTTPClient = s
	return cfg, s
}

// What was answered once is answered again, however long that takes.
func TestFaultsOfWhatWasAnsweredPass(t *testing.T) {
	t.Parallel()
	for what, fault := range passing {
		for service, call := range operations {
			t.Run(what+" of "+service, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					cfg, script := scripted(slices.Concat([]end{listed}, times(40, fault), []end{listed})...)
					start := time.Now()
					if err := errors.Join(call(t.Context(), cfg), call(t.Context(), cfg)); err != nil || script.n != 42 {
						t.Errorf("%d attempts: %v", script.n, err)
					}
					if took := time.Since(start); took < 5*time.Minute || took > 15*time.Minute {
						t.Errorf("took %v", took)
					}
				})
			})
		}
	}
}

// Throttling says that the service is there, and nothing about the faults after it.
func TestFaultsAfterThrottlingPass(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, script := scripted(slices.Concat(times(20, throttled), times(20, serverDown), times(20, refused), []end{listed})...)
				if err := call(t.Context(), cfg); err != nil || script.n != 61 {
					t.Errorf("%d attempts: %v", script.n, err)
				}
			})
		})
	}
}

// wantAttempts checks how often a call is made that nothing was answered to before,
// and how long that takes.
func wantAttempts(t *testing.T, call func(context.Context, aws.Config) error, fault end, want int, within time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg, script := scripted(fault)
		start := time.Now()
		err := call(t.Context(), cfg)
		if took := time.Since(start); err == nil || script.n != want || took > within {
			t.Errorf("%d attempts in %v, want %d within %v; %v", script.n, took, want, within, err)
		}
	})
}

// Nobody waits long for a server that was never there, or that does not know the
// operation.
func TestFaultsOfWhatWasNeverAnswered(t *testing.T) {
	t.Parallel()
	for what, fault := range passing {
		for service, call := range operations {
			t.Run(what+" of "+service, func(t *testing.T) {
				t.Parallel()
				if fault.status == 0 {
					wantAttempts(t, call, fault, 4, 2*time.Second)
				} else {
					wantAttempts(t, call, fault, 8, 32*time.Second)
				}
			})
		}
	}
}

func TestWhatCannotSucceedIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for what, fault := range map[string]end{
		"denied":          denied,
		"not found":       {400, `{"__type": "RepositoryNotFoundException"}`, nil},
		"invalid":         {400, `{"__type": "InvalidParameterException"}`, nil},
		"forbidden":       {403, "<html>no</html>", nil},
		"no such path":    {404, "", nil},
		"not implemented": {501, "", nil},
		"HTTP version":    {505, "", nil},
	} {
		for service, call := range operations {
			t.Run(what+" of "+service, func(t *testing.T) {
				t.Parallel()
				wantAttempts(t, call, fault, 1, 0)
			})
		}
	}
}

// An emulator answers one operation and is for ever at fault about another.
func TestOperationsAreJudgedByThemselves(t *testing.T) {
	t.Parallel()
	images := func(ctx context.Context, cfg aws.Config) error {
		_, err := ecr.NewFromConfig(cfg).DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: aws.String("app")})
		return err
	}
	for what, test := range map[string]struct {
		fault end
		want  int
	}{
		"a fault": {serverDown, 1 + 8},
		// the host is there, so that the connection will be again
		"a lost connection": {refused, 1 + 50 + 1},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, script := scripted(slices.Concat([]end{listed}, times(50, test.fault), []end{denied})...)
				if err := listRepositories(t.Context(), cfg); err != nil {
					t.Fatal(err)
				}
				if err := images(t.Context(), cfg); err == nil || script.n != test.want {
					t.Errorf("%d attempts, want %d; %v", script.n, test.want, err)
				}
			})
		})
	}
}

// Even without a deadline there is an end.
func TestThrottlingIsWaitedForHalfAnHour(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, fault := range []end{throttled, {429, "", nil}} {
					cfg, script := scripted(fault)
					start := time.Now()
					err := call(t.Context(), cfg)
					if took := time.Since(start); took < 29*time.Minute || took > 30*time.Minute || script.n < 90 || script.n > 190 {
						t.Errorf("%d attempts in %v", script.n, took)
					}
					if err == nil || !strings.HasSuffix(err.Error(), "; given up after 30m0s") || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v", err)
					}
				}
			})
		})
	}
}

// A retry that would come too late is not waited for, and the fault is named.
func TestDeadlinesEndTheRetries(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, script := scripted(throttled)
				const limit = 2 * time.Hour
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				err := call(ctx, cfg)
				if took := time.Since(start); took > limit-time.Nanosecond || took < limit-20*time.Second || script.n < 360 {
					t.Errorf("%d attempts in %v", script.n, took)
				}
				wantWords(t, err, "ThrottlingException", "; no time is left to try again: context deadline exceeded")
				if service != "SSM" {
					wantWords(t, err, "operation error "+service+": ")
				} else {
					wantWords(t, err, "get parameter /x: ")
				}
				if !errors.Is(err, context.DeadlineExceeded) || !awsclient.IsThrottled(err) {
					t.Errorf("%v is not what it is", err)
				}
			})
		})
	}
}

func wantWords(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("got %v, want %q in it", err, word)
		}
	}
}

// Who is stopped in the middle of an attempt or of a pause learns what there was to
// wait for.
func TestACallThatIsStoppedNamesTheFaultBefore(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, script := scripted(throttled)
				attempt := 0
				cfg.HTTPClient = answering(func(r *http.Request) (*http.Response, error) {
					if attempt++; attempt == 3 {
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					return script.Do(r)
				})
				for _, stop := range []time.Duration{10 * time.Second, time.Millisecond} {
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(stop, cancel)
					err := call(ctx, cfg)
					wantWords(t, err, "context canceled", "; before that: ", "ThrottlingException")
					if !errors.Is(err, context.Canceled) {
						t.Errorf("%v is not that of the context", err)
					}
				}
			})
		})
	}
}

type answering func(*http.Request) (*http.Response, error)

func (f answering) Do(r *http.Request) (*http.Response, error) { return f(r) }

// A call that fails while others are answered does not wait for what does not come.
func TestAFaultOfOneCallAloneDoesNotHoldUpTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good, _ := scripted(listed)
		bad := good
		script := &script{ends: []end{serverDown}}
		bad.HTTPClient = script
		ctx, cancel := context.WithCancel(t.Context())
		var failed error
		go func() {
			defer cancel()
			failed = listRepositories(t.Context(), bad)
		}()
		start := time.Now()
		for ctx.Err() == nil {
			if err := listRepositories(t.Context(), good); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start); failed == nil || script.n != 17 || took > 5*time.Minute {
			t.Errorf("%d attempts in %v; %v", script.n, took, failed)
		}
	})
}

// What the environment says of attempts is a limit all the same.
func TestAttemptsOfTheEnvironment(t *testing.T) {
	for limit, n := range map[string]int{"1": 1, "2": 2, "200": 8} {
		isolate(t)
		t.Setenv("AWS_REGION", "eu-west-1")
		t.Setenv("AWS_MAX_ATTEMPTS", limit)
		for service, call := range operations {
			synctest.Test(t, func(t *testing.T) {
				cfg, err := awsclient.Load(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				script := &script{ends: []end{serverDown}}
				cfg.HTTPClient = script
				if err := call(t.Context(), cfg); err == nil || script.n != n {
					t.Errorf("AWS_MAX_ATTEMPTS=%s: %d attempts of %s, want %d; %v", limit, script.n, service, n, err)
				}
			})
		}
	}
}

// A spell of throttling uses nothing up that a long run needs.
func TestThrottlingOfManyCallsEndsNoRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, script := scripted(listed)
		for range 500 {
			script.n, script.ends = 0, append(times(5, throttled), listed)
			if err := listRepositories(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
		}
	})
}

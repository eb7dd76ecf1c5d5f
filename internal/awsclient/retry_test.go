package awsclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// The tests of this file run in synctest bubbles, in which pauses take no time.

// An operation that was answered once is retried for a long time.
func TestFaultsOfWhatWasAnsweredPass(t *testing.T) {
	t.Parallel()
	for what, fault := range passing {
		eachService(t, what+" of", func(t serviceTest) {
			cfg, script := scripted(slices.Concat([]end{listed}, times(40, fault), []end{listed})...)
			start := time.Now()
			awstest.NoError(t, errors.Join(t.call(t.Context(), cfg), t.call(t.Context(), cfg)))
			awstest.Equal(t, "attempts", 42, script.n)
			if took := time.Since(start); took < 5*time.Minute || took > 15*time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
}

// Throttling shows that the service exists. Later faults are retried for a long time.
func TestFaultsAfterThrottlingPass(t *testing.T) {
	t.Parallel()
	eachService(t, "", func(t serviceTest) {
		cfg, script := scripted(slices.Concat(times(20, throttled), times(20, serverDown), times(20, refused), []end{listed})...)
		awstest.NoError(t, t.call(t.Context(), cfg))
		awstest.Equal(t, "attempts", 61, script.n)
	})
}

// After throttling, a refusal ends the call, and only the refusal is in the error.
func TestARefusalAfterThrottlingIsFinal(t *testing.T) {
	t.Parallel()
	eachService(t, "", func(t serviceTest) {
		cfg, script := scripted(throttled, throttled, denied)
		err := t.call(t.Context(), cfg)
		if err == nil || script.n != 3 || awsclient.IsThrottled(err) || strings.Contains(err.Error(), "before that") {
			t.Errorf("%d attempts: %v", script.n, err)
		}
	})
}

// wantAttempts checks the number of attempts and the time of a call that never had an answer.
func (t serviceTest) wantAttempts(fault end, want int, within time.Duration) {
	t.Helper()
	cfg, script := scripted(fault)
	start := time.Now()
	err := t.call(t.Context(), cfg)
	if took := time.Since(start); err == nil || script.n != want || took > within {
		t.Errorf("%d attempts in %v, want %d within %v; %v", script.n, took, want, within, err)
	}
}

// A server that never answered, or does not know the operation, gets only a few attempts.
func TestFaultsOfWhatWasNeverAnswered(t *testing.T) {
	t.Parallel()
	for what, fault := range passing {
		eachService(t, what+" of", func(t serviceTest) {
			switch {
			case what == "host not found":
				t.wantAttempts(fault, 2, time.Second/2)
			case fault.status == 0:
				t.wantAttempts(fault, 4, 2*time.Second)
			default:
				t.wantAttempts(fault, 8, 32*time.Second)
			}
		})
	}
}

// The SDK has tried several times to reach the instance metadata service of EC2.
func TestCredentialsAreLookedForOnce(t *testing.T) {
	t.Parallel()
	eachService(t, "", func(t serviceTest) {
		cfg, _ := scripted(listed)
		n := 0
		cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			n++
			return aws.Credentials{}, &smithy.OperationError{ServiceID: "ec2imds", OperationName: "GetMetadata", Err: refused.err}
		})
		if err := t.call(t.Context(), cfg); err == nil || n != 1 {
			t.Errorf("%d attempts, %v", n, err)
		}
	})
}

func TestFinalErrorsAreNotRetried(t *testing.T) {
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
		eachService(t, what+" of", func(t serviceTest) { t.wantAttempts(fault, 1, 0) })
	}
}

// An emulator may know one operation and always fail in another.
func TestOperationsAreJudgedByThemselves(t *testing.T) {
	t.Parallel()
	images := func(ctx context.Context, cfg aws.Config) error {
		_, err := ecr.NewFromConfig(cfg).DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: aws.String("app")})
		return err
	}
	for name, test := range map[string]struct {
		fault end
		want  int
	}{
		"a fault": {serverDown, 1 + 8},
		// the host is there, so that the connection will be again
		"a lost connection": {refused, 1 + 50 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, script := scripted(slices.Concat([]end{listed}, times(50, test.fault), []end{denied})...)
				awstest.NoError(t, listRepositories(t.Context(), cfg))
				if err := images(t.Context(), cfg); err == nil || script.n != test.want {
					t.Errorf("%d attempts, want %d; %v", script.n, test.want, err)
				}
			})
		})
	}
}

// That a service answers in one Region says nothing about another.
func TestRegionsAreJudgedByThemselves(t *testing.T) {
	t.Parallel()
	eachService(t, "", func(t serviceTest) {
		cfg, script := scripted(listed, refused)
		awstest.NoError(t, t.call(t.Context(), cfg))
		cfg.Region = "us-east-1"
		if err := t.call(t.Context(), cfg); err == nil || script.n != 1+4 {
			t.Errorf("%d attempts, want 5; %v", script.n, err)
		}
	})
}

// A call ends if it fails while other calls of the operation have answers.
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
			awstest.NoError(t, listRepositories(t.Context(), good))
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start); failed == nil || script.n != 17 || took > 5*time.Minute {
			t.Errorf("%d attempts in %v; %v", script.n, took, failed)
		}
	})
}

// AWS_MAX_ATTEMPTS is also a limit.
func TestAttemptsOfTheEnvironment(t *testing.T) {
	for limit, n := range map[string]int{"1": 1, "2": 2, "200": 8} {
		awstest.Environment(t, "")
		t.Setenv("AWS_MAX_ATTEMPTS", limit)
		for service, call := range operations {
			synctest.Test(t, func(t *testing.T) {
				cfg := load(t)
				script := &script{ends: []end{serverDown}}
				cfg.HTTPClient = script
				if err := call(t.Context(), cfg); err == nil || script.n != n {
					t.Errorf("AWS_MAX_ATTEMPTS=%s: %d attempts of %s, want %d; %v", limit, script.n, service, n, err)
				}
			})
		}
	}
}

// Throttling of one call does not reduce the attempts of later calls.
func TestThrottlingOfManyCallsEndsNoRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, script := scripted(listed)
		for range 500 {
			script.n, script.ends = 0, append(times(5, throttled), listed)
			awstest.NoError(t, listRepositories(t.Context(), cfg))
		}
	})
}

// If an answer breaks off, its part is not in the result of the next attempt.
func TestNothingIsLeftOfAnAnswerThatBrokeOff(t *testing.T) {
	t.Parallel()
	half := end{200, `{"nextToken": "x", "repositories": [{"repositoryName": "a"}, {"repos`, nil}
	tasks := end{200, `{"nextToken": "x", "taskArns": ["a", "b`, nil}
	firstPage := end{200, `{"NextMarker": "x", "Functions": [{"FunctionName": "a"}, {"Func`, nil}
	for name, next := range map[string][]end{
		"no body": {{200, "", nil}}, "other members": {{200, `{"message": "sign in"}`, nil}}, "an error between": {serverDown, {200, "{}", nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, _ := scripted(slices.Concat([]end{half}, next, []end{listed})...)
				repositories, err := ecr.NewFromConfig(cfg).DescribeRepositories(t.Context(), nil)
				if err != nil || len(repositories.Repositories) > 0 || repositories.NextToken != nil {
					t.Errorf("repositories %+v, %v", repositories, err)
				}
				cfg, _ = scripted(slices.Concat([]end{tasks}, next, []end{listed})...)
				used, err := ecs.NewFromConfig(cfg).ListTasks(t.Context(), nil)
				if err != nil || len(used.TaskArns) > 0 || used.NextToken != nil {
					t.Errorf("tasks %+v, %v", used, err)
				}
				cfg, _ = scripted(slices.Concat([]end{firstPage}, next, []end{listed})...)
				var called functions
				if err := listFunctions(t.Context(), cfg, &called); err != nil || len(called.Functions) > 0 || called.NextMarker != nil {
					t.Errorf("functions %+v, %v", called, err)
				}
			})
		})
	}
}

// Each attempt reads the whole object. If the body breaks off, there is another attempt.
func TestObjectsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := end{503, "<Error><Code>SlowDown</Code></Error>", nil}
		cut := end{200, "con", io.ErrUnexpectedEOF}
		cfg, script := scripted(slow, slow, cut, refused, cut, end{200, "content", nil})
		if got, err := get(t, cfg, "s3://bucket/key"); err != nil || got != "content" || script.n != 6 {
			t.Errorf("GetObject = %q, %v after %d attempts", got, err, script.n)
		}
		script.n = 0
		awstest.NoError(t, awsclient.PutObject(t.Context(), cfg, "s3://bucket/key", []byte("content"), now))
		awstest.Equal(t, "attempts", 6, script.n)
	})
}

// A call may take longer than its signature is valid.
func TestEachAttemptIsSignedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, script := scripted(append(times(40, throttled), listed)...)
		start := time.Now()
		cfg.HTTPClient = awstest.Client(func(r *http.Request) (*http.Response, error) {
			awstest.Equal(t, "time of the signature", now.Add(time.Since(start)).Format("20060102T150405Z"), r.Header.Get("X-Amz-Date"))
			return script.Do(r)
		})
		if _, err := awsclient.GetParameter(t.Context(), cfg, "/x", now); err != nil || time.Since(start) < 5*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

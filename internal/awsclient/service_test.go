package awsclient_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func newService(cfg aws.Config) awsclient.Service {
	return awsclient.Service{Config: cfg, Name: "events", SDKID: "EventBridge", Clock: func() time.Time { return now }}
}

// numbers is an answer for tests. Decoding into a slice keeps what its array has.
type numbers struct {
	List []struct{ A, B int }
	Next string
}

func TestServiceCallsAreSignedAsTheSDKSigns(t *testing.T) {
	t.Parallel()
	var requests []*http.Request
	cfg := awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		awstest.NoError(t, err)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		requests = append(requests, r)
		_, _ = io.WriteString(w, `{"Next": "x"}`)
	}))
	s := newService(cfg)
	var out numbers
	awstest.NoError(t, s.Get(t.Context(), "Get", "/a/"+url.PathEscape("b c/é+%"), url.Values{"q": {"a b+c/d=&é"}, "a": {""}}, &out))
	awstest.NoError(t, s.Post(t.Context(), "AWSEvents.Post", "1.1", map[string]string{"a": "<é>"}, &out))
	awstest.NoError(t, s.Send(t.Context(), "List", http.MethodPost, "/v1/list", nil, map[string]string{"a": "<é>"}, &out))
	awstest.NoError(t, s.Send(t.Context(), "List", http.MethodPost, "/v1/list", url.Values{"a": {"b"}}, nil, &out))
	for i, want := range []string{
		"GET /a/b%20c%2F%C3%A9+%25?a=&q=a%20b%2Bc%2Fd%3D%26%C3%A9", "POST /", "POST /v1/list", "POST /v1/list?a=b",
	} {
		r := requests[i]
		awstest.Equal(t, "request", want, r.Method+" "+r.RequestURI)
		awstest.Equal(t, "signature", sdkSignature(t, r, "events"), r.Header.Get("Authorization"))
	}
	for _, r := range requests[1:3] {
		var in map[string]string
		awstest.NoError(t, json.NewDecoder(r.Body).Decode(&in))
		awstest.Equal(t, "input", map[string]string{"a": "<é>"}, in)
	}
	awstest.Equal(t, "target", "AWSEvents.Post", requests[1].Header.Get("X-Amz-Target"))
	awstest.Equal(t, "content type", "application/x-amz-json-1.1", requests[1].Header.Get("Content-Type"))
	awstest.Equal(t, "content types", []string{"application/json", ""},
		[]string{requests[2].Header.Get("Content-Type"), requests[3].Header.Get("Content-Type")})
}

func TestObjectsAreSignedAsTheSDKSigns(t *testing.T) {
	t.Parallel()
	var request *http.Request
	cfg := awstest.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { request = r }))
	_, err := get(t, cfg, "s3://bucket/a key+é")
	awstest.NoError(t, err)
	awstest.Equal(t, "signature", sdkSignature(t, request, "s3"), request.Header.Get("Authorization"))
}

// sdkSignature returns the Authorization of the request, as the SDK's signer writes it.
func sdkSignature(t *testing.T, r *http.Request, service string) string {
	t.Helper()
	_, signed, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	again, err := http.NewRequestWithContext(t.Context(), r.Method, "http://"+r.Host+r.RequestURI, http.NoBody)
	awstest.NoError(t, err)
	for name := range strings.SplitSeq(signed, ";") {
		if value := r.Header.Get(name); value != "" {
			again.Header.Set(name, value)
		}
	}
	again.ContentLength = max(r.ContentLength, 0)
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	awstest.NoError(t, err)
	credentials := aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	awstest.NoError(t, signer.SignHTTP(t.Context(), credentials, again, r.Header.Get("X-Amz-Content-Sha256"), service, awstest.Region, at))
	return again.Header.Get("Authorization")
}

func TestServiceErrorsAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header, body, code, text string
	}{
		{"", `{"__type": "NotFound", "message": "no rule"}`, "NotFound", "the answer is 400 NotFound: no rule"},
		{"", `{"__type": "com.amazonaws.events#NotFound:http://x", "Message": "no rule"}`, "NotFound", "400 NotFound: no rule"},
		{"NotFound:http://x", `{"message": "no rule"}`, "NotFound", "400 NotFound: no rule"},
		{"NotFound", ``, "NotFound", "the answer is 400 NotFound"},
		{"", `{"code": "NotFound"}`, "NotFound", "the answer is 400 NotFound"},
		{"", `<html>`, "", "the answer is 400"},
	} {
		cfg := awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if c.header != "" {
				w.Header().Set("X-Amzn-Errortype", c.header)
			}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, c.body)
		}))
		var out numbers
		err := newService(cfg).Post(t.Context(), "AWSEvents.ListRules", "1.1", struct{}{}, &out)
		awstest.ErrorContains(t, err, c.text)
		var operation *smithy.OperationError
		var answer smithy.APIError
		if !errors.As(err, &operation) || operation.ServiceID != "events" || operation.OperationName != "ListRules" {
			t.Errorf("%s: %v is not of the operation", c.body, err)
		}
		if !errors.As(err, &answer) || answer.ErrorCode() != c.code {
			t.Errorf("%s: %v has not the code %s", c.body, err, c.code)
		}
	}
	awstest.ErrorContains(t, newService(aws.Config{}).Post(t.Context(), "X.Put", "", func() {}, nil), "events: Put, json: unsupported type")
}

// The next attempt reads its answer alone.
func TestServiceReadsOneAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, s := scripted(end{200, `{"List": [{"A": 1, "B": 2}], "Next": 3}`, nil}, end{200, `{"List": [{"A": 4}], "X": 1}`, nil})
		var out numbers
		awstest.NoError(t, newService(cfg).Get(t.Context(), "List", "/", nil, &out))
		awstest.Equal(t, "answer", numbers{List: []struct{ A, B int }{{A: 4}}}, out)
		awstest.Equal(t, "attempts", 2, s.n)
	})
}

// Only an emulator has an error page that tells of an operation that it does not know.
func TestServiceErrorPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		end
		endpoint string
		page     bool
		attempts int
	}{
		{end{500, "<html>", nil}, "http://127.0.0.1", true, 1},
		{end{500, "<html>", nil}, "https://vpce.invalid", true, 8},
		{end{404, "<html>", nil}, "http://127.0.0.1", true, 1},
		{end{503, "<html>", nil}, "http://127.0.0.1", false, 8},
		{end{403, "<html>", nil}, "http://127.0.0.1", false, 1},
		{serverDown, "http://127.0.0.1", false, 8},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg, s := scripted(c.end)
			cfg.BaseEndpoint = &c.endpoint
			var out numbers
			err := newService(cfg).Get(t.Context(), "List", "/", nil, &out)
			awstest.Equal(t, c.endpoint+" "+c.body+" is an error page", c.page, awsclient.IsErrorPage(err))
			awstest.Equal(t, "attempts after "+err.Error(), c.attempts, s.n)
			awstest.Equal(t, c.endpoint+" is emulated", strings.HasPrefix(c.endpoint, "http:"), newService(cfg).IsEmulated(t.Context()))
		})
	}
}

// Step Functions has another code for throttling by KMS.
func TestServiceCallsAreRepeatedAfterThrottlingByKMS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, s := scripted(append(times(9, end{400, `{"__type": "KmsThrottlingException"}`, nil}), end{200, `{"Next": "x"}`, nil})...)
		var out numbers
		awstest.NoError(t, newService(cfg).Get(t.Context(), "List", "/", nil, &out))
		awstest.Equal(t, "attempts", 10, s.n)
	})
}

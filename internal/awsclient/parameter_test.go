package awsclient_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A parameterStore is a fake Systems Manager that checks requests. It answers each call
// with the next answer, and repeats the last one.
type parameterStore struct {
	t       *testing.T
	answers []answer
	name    string // asked for last
	calls   int
}

type answer struct {
	status int
	body   string
}

func (p *parameterStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	authorization := r.Header.Get("Authorization")
	if !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 Credential=local/20260301/eu-west-1/ssm/aws4_request, SignedHeaders=") ||
		!strings.Contains(authorization, "x-amz-target") {
		p.t.Errorf("the request is signed by %q", authorization)
	}
	if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("X-Amz-Target") != "AmazonSSM.GetParameter" ||
		r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		p.t.Errorf("%s %s, %v", r.Method, r.URL, r.Header)
	}
	var in struct {
		Name           string
		WithDecryption bool
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !in.WithDecryption {
		p.t.Errorf("asked for %+v, %v", in, err)
	}
	p.name = in.Name
	a := p.answers[min(p.calls, len(p.answers)-1)]
	p.calls++
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// newParameterStore returns a store and a configuration for it.
func newParameterStore(t *testing.T, answers ...answer) (*parameterStore, aws.Config) {
	t.Helper()
	p := &parameterStore{t: t, answers: answers}
	return p, once(awstest.Serve(t, p))
}

func TestParametersAreReadDecrypted(t *testing.T) {
	t.Parallel()
	p, cfg := newParameterStore(t, answer{200, `{"Parameter": {"Type": "SecureString", "Value": "{\"a\": \"ü\"}"}}`})
	for _, name := range []string{"/cleaner/config", "plain", "arn:aws:ssm:eu-west-1:123456789012:parameter/shared"} {
		got, err := awsclient.GetParameter(t.Context(), cfg, name, now)
		if err != nil || got != `{"a": "ü"}` || p.name != name {
			t.Errorf("GetParameter(%s) = %q, %v, asked for %s", name, got, err, p.name)
		}
	}
}

func TestParametersAreAtTheEndpointOfTheRegion(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"eu-west-1": "https://ssm.eu-west-1.amazonaws.com", "cn-north-1": "https://ssm.cn-north-1.amazonaws.com.cn",
	} {
		cfg, host := unsent(awsclient.Local("", region))
		if _, err := awsclient.GetParameter(t.Context(), cfg, "/x", now); err == nil || *host != want {
			t.Errorf("region %s: %s, want %s (%v)", region, *host, want, err)
		}
	}
}

func TestParameterErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	const noUser = `"User: arn:aws:sts::1:assumed-role/x is not authorized to perform: `
	for body, want := range map[string]string{
		`{"__type": "ParameterNotFound"}`:                                                       "there is no such parameter in this Region; check the name",
		`{"__type": "com.amazonaws.ssm#ParameterNotFound"}`:                                     "there is no such parameter in this Region; check the name",
		`{"__type": "AccessDeniedException", "Message": ` + noUser + `ssm:GetParameter on x"}`:  "access denied; allow the action ssm:GetParameter on it",
		`{"__type": "AccessDeniedException", "message": ` + noUser + `kms:Decrypt on x"}`:       "access denied; allow the action kms:Decrypt on the key that encrypts it",
		`{"__type": "AccessDeniedException", "message": "The ciphertext refers to a key that"}`: "access denied; allow the action kms:Decrypt on the key that encrypts it",
		`{"__type": "InvalidKeyId"}`:                                                            "access denied; allow the action kms:Decrypt on the key that encrypts it",
		`{"__type": "AccessDeniedException"}`: "access denied; allow the action ssm:GetParameter on it and, if it is a SecureString, " +
			"kms:Decrypt on the key that encrypts it",
		`{"__type": "ValidationException"}`: "Systems Manager answered 400 ValidationException; check the name and the endpoint",
		`<html>`:                            "Systems Manager answered 400; check the name and the endpoint",
	} {
		p, cfg := newParameterStore(t, answer{400, body})
		got, err := awsclient.GetParameter(t.Context(), cfg, "/cleaner", now)
		if err == nil || err.Error() != "get parameter /cleaner: "+want || p.calls != 1 {
			t.Errorf("%s: %q, %v after %d calls; want %q", body, got, err, p.calls, want)
		}
	}
}

// A proxy before AWS has another error text.
func TestAForbiddenParameterIsDenied(t *testing.T) {
	t.Parallel()
	_, cfg := newParameterStore(t, answer{403, `<html>`})
	const want = "get parameter /cleaner: access denied; allow the action ssm:GetParameter on it"
	if _, err := awsclient.GetParameter(t.Context(), cfg, "/cleaner", now); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestParameterAnswersWithoutAParameter(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `{"Parameter": {}}`, `{"Parameter": {"Value": 1}}`, `{"Parameter": {"Value": "` + strings.Repeat("x", 1<<20) + `"}}`} {
		_, cfg := newParameterStore(t, answer{200, body})
		if got, err := awsclient.GetParameter(t.Context(), cfg, "/cleaner", now); err == nil || got != "" {
			t.Errorf("%.40s: %.40q, %v", body, got, err)
		}
	}
}

func TestAnObjectWhoseKeyIsOutOfReachNamesTheKey(t *testing.T) {
	t.Parallel()
	cfg := awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: kms:Decrypt</Message></Error>")
	}))
	_, err := get(t, cfg, "s3://bucket/key")
	if want := "get s3://bucket/key: access denied; allow the action kms:Decrypt on the key that encrypts it"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

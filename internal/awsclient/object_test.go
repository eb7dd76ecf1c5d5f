package awsclient_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

var now = awstest.Now

// bucket is a fake S3 with one object that checks the signature of requests.
type bucket struct {
	t       *testing.T
	status  int
	path    string // as in the request
	content string
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.path = r.RequestURI
	authorization := r.Header.Get("Authorization")
	if !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 Credential=local/20260301/eu-west-1/s3/aws4_request, SignedHeaders=") ||
		!strings.Contains(authorization, "x-amz-content-sha256") || r.Header.Get("X-Amz-Date") != "20260301T120000Z" {
		b.t.Errorf("the request is signed by %q at %s", authorization, r.Header.Get("X-Amz-Date"))
	}
	if b.status != 0 {
		w.WriteHeader(b.status)
		return
	}
	if r.Method == http.MethodPut {
		content, _ := io.ReadAll(r.Body)
		b.content = string(content)
		return
	}
	_, _ = io.WriteString(w, b.content)
}

// newBucket returns a bucket and a configuration for it.
func newBucket(t *testing.T) (*bucket, aws.Config) {
	t.Helper()
	b := &bucket{t: t}
	return b, once(awstest.Serve(t, b))
}

// once returns the configuration without retries.
func once(cfg aws.Config) aws.Config { return awstest.Attempts(cfg, 1) }

func get(t *testing.T, cfg aws.Config, location string) (string, error) {
	t.Helper()
	content, err := awsclient.GetObject(t.Context(), cfg, location, now)
	return string(content), err
}

func TestObjectsAreWrittenAndRead(t *testing.T) {
	t.Parallel()
	b, cfg := newBucket(t)
	awstest.NoError(t, awsclient.PutObject(t.Context(), cfg, "s3://bucket/a/b.json", []byte("content"), now))
	if got, err := get(t, cfg, "s3://bucket/a/b.json"); err != nil || got != "content" || b.path != "/bucket/a/b.json" {
		t.Errorf("GetObject = %q, %v, from %s", got, err, b.path)
	}
}

// S3 signs a key with all reserved characters escaped, and does not clean it like a path.
func TestKeysAreEscapedAsS3SignsThem(t *testing.T) {
	t.Parallel()
	b, cfg := newBucket(t)
	for key, want := range map[string]string{
		"a/date=2026-03-01/x+y.json": "/bucket/a/date%3D2026-03-01/x%2By.json",
		"a b/ü":                      "/bucket/a%20b/%C3%BC",
		"a//b/../c/./d":              "/bucket/a//b/../c/./d",
		"100%25?#&,:;@$":             "/bucket/100%2525%3F%23%26%2C%3A%3B%40%24",
		"~._-":                       "/bucket/~._-",
	} {
		if _, err := get(t, cfg, "s3://bucket/"+key); err != nil || b.path != want {
			t.Errorf("%s is asked for as %s, want %s (%v)", key, b.path, want, err)
		}
	}
	cfg.BaseEndpoint = new(*cfg.BaseEndpoint + "/prefix/")
	if _, err := get(t, cfg, "s3://bucket/key"); err != nil || b.path != "/prefix/bucket/key" {
		t.Errorf("below an endpoint with a path: %s (%v)", b.path, err)
	}
}

// unsent returns the configuration with a client that sends no request, and the address
// of the last request.
func unsent(cfg aws.Config) (aws.Config, *string) {
	host := new(string)
	cfg = once(cfg)
	cfg.HTTPClient = awstest.Client(func(r *http.Request) (*http.Response, error) {
		*host = r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
		return nil, errors.New("not sent")
	})
	return cfg, host
}

func TestObjectsAreAddressedByTheHostOfTheirBucket(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ region, bucket, want string }{
		{"eu-west-1", "bucket", "https://bucket.s3.eu-west-1.amazonaws.com/key"},
		{"cn-north-1", "bucket", "https://bucket.s3.cn-north-1.amazonaws.com.cn/key"},
		{"eu-west-1", "my.bucket", "https://s3.eu-west-1.amazonaws.com/my.bucket/key"},
	} {
		cfg, host := unsent(awsclient.Local("", test.region))
		location := "s3://" + test.bucket + "/key"
		if _, err := get(t, cfg, location); err == nil || err.Error() != "get "+location+": not sent" || *host != test.want {
			t.Errorf("region %s: %s, want %s (%v)", test.region, *host, test.want, err)
		}
	}
}

func TestObjectErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	b, cfg := newBucket(t)
	for status, want := range map[int]string{
		http.StatusForbidden:           "access denied; allow the action s3:%sObject on it",
		http.StatusMovedPermanently:    "the bucket is in another Region; use one in this Region",
		http.StatusNotFound:            "there is no such object or bucket, or no permission to see it; check the name",
		http.StatusInternalServerError: "S3 answered 500 Internal Server Error; check the location and the endpoint",
	} {
		b.status = status
		for _, verb := range []string{"get", "put"} {
			err := awsclient.PutObject(t.Context(), cfg, "s3://bucket/key", nil, now)
			action := "Put"
			if verb == "get" {
				_, err = get(t, cfg, "s3://bucket/key")
				action = "Get"
			}
			want := want
			if strings.Contains(want, "%s") {
				want = fmt.Sprintf(want, action)
			}
			if status == http.StatusForbidden && verb == "get" {
				want += " and check its name: without s3:ListBucket, S3 also denies access to a missing object"
			}
			awstest.Equal(t, fmt.Sprintf("error of %s with status %d", verb, status), verb+" s3://bucket/key: "+want, fmt.Sprint(err))
		}
	}
}

func TestLocationsThatNameNoObject(t *testing.T) {
	t.Parallel()
	_, cfg := newBucket(t)
	for _, location := range []string{"", "bucket/key", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "https://bucket/key"} {
		if _, err := get(t, cfg, location); err == nil || err.Error() != "get "+location+": the location must be like s3://bucket/key" {
			t.Errorf("%q: %v", location, err)
		}
	}
	cfg.BaseEndpoint = new("://")
	if _, err := get(t, cfg, "s3://bucket/key"); err == nil {
		t.Error("an endpoint that is no address is no error")
	}
	cfg.BaseEndpoint = new("http://127.0.0.1:1")
	cfg.Credentials = aws.AnonymousCredentials{}
	if _, err := get(t, cfg, "s3://bucket/key"); err == nil {
		t.Error("no credentials are no error")
	}
}

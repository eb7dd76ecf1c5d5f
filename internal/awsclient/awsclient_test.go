package awsclient_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func TestLoadReadsTheEnvironment(t *testing.T) {
	awstest.Environment(t, "http://127.0.0.1:1")
	cfg := load(t)
	awstest.Equal(t, "Region", awstest.Region, cfg.Region)
	awstest.Equal(t, "endpoint", "http://127.0.0.1:1", aws.ToString(cfg.BaseEndpoint))
	credentials, err := cfg.Credentials.Retrieve(t.Context())
	awstest.NoError(t, err)
	awstest.Equal(t, "access key", "AKID", credentials.AccessKeyID)
}

func TestLoadTakesAnExplicitRegionFirst(t *testing.T) {
	awstest.Environment(t, "")
	cfg, err := awsclient.Load(t.Context(), "", "us-west-2")
	awstest.NoError(t, err)
	awstest.Equal(t, "Region", "us-west-2", cfg.Region)
}

func TestLoadReadsProfiles(t *testing.T) {
	awstest.Environment(t, "")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	name := filepath.Join(t.TempDir(), "config")
	shared := "[profile one]\nregion = eu-north-1\naws_access_key_id = ONE\naws_secret_access_key = x\n" +
		"[profile two]\nregion = eu-south-1\naws_access_key_id = TWO\naws_secret_access_key = x\n"
	awstest.NoError(t, os.WriteFile(name, []byte(shared), 0o600))
	t.Setenv("AWS_CONFIG_FILE", name)
	t.Setenv("AWS_PROFILE", "one")
	for profile, want := range map[string][2]string{"": {"eu-north-1", "ONE"}, "two": {"eu-south-1", "TWO"}} {
		cfg, err := awsclient.Load(t.Context(), profile, "")
		awstest.NoError(t, err)
		credentials, err := cfg.Credentials.Retrieve(t.Context())
		if err != nil || cfg.Region != want[0] || credentials.AccessKeyID != want[1] {
			t.Errorf("profile %q: region %s, key %s (%v), want %v", profile, cfg.Region, credentials.AccessKeyID, err, want)
		}
	}
	if _, err := awsclient.Load(t.Context(), "three", ""); err == nil {
		t.Error("a profile that does not exist is no error")
	}
}

func TestLoadNeedsARegion(t *testing.T) {
	awstest.Environment(t, "")
	t.Setenv("AWS_REGION", "")
	_, err := awsclient.Load(t.Context(), "", "")
	awstest.ErrorIs(t, "no Region", err, awsclient.ErrNoRegion)
}

func TestLocalNeedsNoEnvironment(t *testing.T) {
	awstest.Environment(t, "")
	cfg := awsclient.Local("http://127.0.0.1:2", "eu-west-3")
	awstest.Equal(t, "Region", "eu-west-3", cfg.Region)
	awstest.Equal(t, "endpoint", "http://127.0.0.1:2", aws.ToString(cfg.BaseEndpoint))
	credentials, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || credentials.AccessKeyID == "AKID" {
		t.Errorf("credentials %q, %v", credentials.AccessKeyID, err)
	}
}

// A body notes that it was read to its end.
type body struct {
	io.Reader
	read atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		b.read.Store(true)
	}
	return n, err
}

func (b *body) Close() error { return nil }

// The SDK closes the body as soon as there is an answer. The transport must not read it after that.
func TestRequestsAreSentFromACopyOfTheirBody(t *testing.T) {
	awstest.Environment(t, "")
	loaded := load(t)
	sent := bytes.Repeat([]byte("x"), 1<<20)
	for _, cfg := range []aws.Config{loaded, awsclient.Local("", "eu-west-1")} {
		b := &body{Reader: bytes.NewReader(sent)}
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if !b.read.Load() {
				t.Error("the request is under way before its body was read")
			}
			if got, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes arrive, want %d (%v)", len(got), len(sent), err)
			}
		}))
		do(t, cfg, server.URL, b)
		server.Close()
	}
}

func do(t *testing.T, cfg aws.Config, url string, body io.ReadCloser) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	awstest.NoError(t, err)
	answer, err := cfg.HTTPClient.Do(r)
	awstest.NoError(t, err)
	_ = answer.Body.Close()
}

// So many calls at a time are those of an in-use scan.
func TestConnectionsStayOpenForTheNextCalls(t *testing.T) {
	awstest.Environment(t, "")
	cfg := load(t)
	const calls = 384
	var arrived sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived.Done()
		arrived.Wait()
	}))
	var opened atomic.Int64
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	for range 2 {
		arrived.Add(calls)
		var done sync.WaitGroup
		for range calls {
			done.Go(func() { do(t, cfg, server.URL, nil) })
		}
		done.Wait()
	}
	awstest.Equal(t, "connections", int64(calls), opened.Load())
}

func TestRequestsWithoutBodyAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	cfg := awstest.Serve(t, http.NotFoundHandler())
	do(t, cfg, *cfg.BaseEndpoint, nil)
	do(t, cfg, *cfg.BaseEndpoint, http.NoBody)
}

func TestABodyThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1", errReader{broken})
	awstest.NoError(t, err)
	answer, err := awsclient.Local("", "eu-west-1").HTTPClient.Do(r)
	if err == nil {
		_ = answer.Body.Close()
	}
	awstest.ErrorIs(t, "a broken body", err, broken)
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// Endpoints have the sources of the SDK's own clients, in the same order.
func TestEndpointsOfTheServices(t *testing.T) {
	const one, all = "http://127.0.0.1:1", "http://127.0.0.1:2"
	for name, test := range map[string]struct {
		env    map[string]string
		shared string
		want   string // of SSM
	}{
		"none":                         {nil, "", "https://ssm.eu-west-1.amazonaws.com"},
		"of all":                       {map[string]string{"AWS_ENDPOINT_URL": all}, "", all},
		"of the service":               {map[string]string{"AWS_ENDPOINT_URL": all, "AWS_ENDPOINT_URL_SSM": one}, "", one},
		"of the service alone":         {map[string]string{"AWS_ENDPOINT_URL_SSM": one}, "", one},
		"of another service":           {map[string]string{"AWS_ENDPOINT_URL_S3": one}, "", "https://ssm.eu-west-1.amazonaws.com"},
		"in a file":                    {nil, one, one},
		"in a file, below the setting": {map[string]string{"AWS_ENDPOINT_URL": all}, one, all},
		"ignored": {
			map[string]string{"AWS_ENDPOINT_URL": all, "AWS_ENDPOINT_URL_SSM": one, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
			one,
			"https://ssm.eu-west-1.amazonaws.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			awstest.Environment(t, "")
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			if test.shared != "" {
				file := filepath.Join(t.TempDir(), "config")
				text := "[default]\nservices = local\n[services local]\nssm =\n  endpoint_url = " + test.shared + "\n"
				awstest.NoError(t, os.WriteFile(file, []byte(text), 0o600))
				t.Setenv("AWS_CONFIG_FILE", file)
			}
			cfg, host := unsent(load(t))
			if _, err := awsclient.GetParameter(t.Context(), cfg, "/x", now); err == nil || *host != test.want {
				t.Errorf("sent to %s, want %s (%v)", *host, test.want, err)
			}
		})
	}
}

func TestObjectsHaveAnEndpointOfTheirOwn(t *testing.T) {
	awstest.Environment(t, "http://127.0.0.1:2")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
	cfg, host := unsent(load(t))
	if _, err := get(t, cfg, "s3://bucket/key"); err == nil || *host != "http://127.0.0.1:1/bucket/key" {
		t.Errorf("sent to %s (%v)", *host, err)
	}
}

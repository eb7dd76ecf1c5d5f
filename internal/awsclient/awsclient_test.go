package awsclient_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func TestLoadReadsTheEnvironment(t *testing.T) {
	awstest.Environment(t, "http://127.0.0.1:1")
	cfg := load(t)
	if cfg.Region != awstest.Region || aws.ToString(cfg.BaseEndpoint) != "http://127.0.0.1:1" {
		t.Errorf("region %q, endpoint %q", cfg.Region, aws.ToString(cfg.BaseEndpoint))
	}
	credentials, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || credentials.AccessKeyID != "AKID" {
		t.Errorf("credentials %q, %v", credentials.AccessKeyID, err)
	}
}

func TestLoadTakesAnExplicitRegionFirst(t *testing.T) {
	awstest.Environment(t, "")
	cfg, err := awsclient.Load(t.Context(), "", "us-west-2")
	if err != nil || cfg.Region != "us-west-2" {
		t.Errorf("region %q, %v", cfg.Region, err)
	}
}

func TestLoadReadsProfiles(t *testing.T) {
	awstest.Environment(t, "")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	name := filepath.Join(t.TempDir(), "config")
	shared := "[profile one]\nregion = eu-north-1\naws_access_key_id = ONE\naws_secret_access_key = x\n" +
		"[profile two]\nregion = eu-south-1\naws_access_key_id = TWO\naws_secret_access_key = x\n"
	if err := os.WriteFile(name, []byte(shared), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", name)
	t.Setenv("AWS_PROFILE", "one")
	for profile, want := range map[string][2]string{"": {"eu-north-1", "ONE"}, "two": {"eu-south-1", "TWO"}} {
		cfg, err := awsclient.Load(t.Context(), profile, "")
		if err != nil {
			t.Fatal(err)
		}
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
	if _, err := awsclient.Load(t.Context(), "", ""); !errors.Is(err, awsclient.ErrNoRegion) {
		t.Errorf("without a region: %v, want ErrNoRegion", err)
	}
}

func TestLocalNeedsNoEnvironment(t *testing.T) {
	awstest.Environment(t, "")
	cfg := awsclient.Local("http://127.0.0.1:2", "eu-west-3")
	if cfg.Region != "eu-west-3" || aws.ToString(cfg.BaseEndpoint) != "http://127.0.0.1:2" {
		t.Errorf("region %q, endpoint %q", cfg.Region, aws.ToString(cfg.BaseEndpoint))
	}
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

// The SDK closes the body as soon as there is an answer. The transport must not read it
// after that.
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
	if err != nil {
		t.Fatal(err)
	}
	answer, err := cfg.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
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
	if err != nil {
		t.Fatal(err)
	}
	answer, err := awsclient.Local("", "eu-west-1").HTTPClient.Do(r)
	if err == nil {
		_ = answer.Body.Close()
	}
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the body", err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

package inusetest

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// Moto starts moto's server, which ends with the test, and returns its URL. It skips the
// test if the variable ECR_CLEANER_SHARED is empty. That variable names the directory with
// tools/moto_faithful.py, and PYTHON the Python that runs it.
func Moto(t *testing.T) string {
	t.Helper()
	shared, python := os.Getenv("ECR_CLEANER_SHARED"), os.Getenv("PYTHON") //nolint:forbidigo // of the machine that tests
	if shared == "" {
		t.Skip("ECR_CLEANER_SHARED names no directory with tools/moto_faithful.py")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	awstest.NoError(t, err)
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	_ = l.Close()
	var output bytes.Buffer
	server := exec.Command(cmp.Or(python, "python3.11"), filepath.Join(shared, "tools", "moto_faithful.py"), port, "--faithful")
	server.Stdout, server.Stderr = &output, &output
	awstest.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("moto: %s", output.Bytes()[max(0, output.Len()-4000):])
		}
	})
	waitFor(t, address)
	return "http://" + address
}

// MotoRole creates an IAM role at moto's server with that URL, and returns its ARN.
func MotoRole(t *testing.T, server string) string {
	t.Helper()
	form := url.Values{"Action": {"CreateRole"}, "Version": {"2010-05-08"}, "RoleName": {"fn"}, "AssumeRolePolicyDocument": {"{}"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server, strings.NewReader(form.Encode()))
	awstest.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260301/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(r)
	awstest.NoError(t, err)
	_ = answer.Body.Close()
	awstest.Equal(t, "status of CreateRole", http.StatusOK, answer.StatusCode)
	return "arn:aws:iam::123456789012:role/fn"
}

// waitFor waits until something listens there.
func waitFor(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("moto does not come up")
		case <-tick.C:
		}
	}
}

// Instead returns the configuration with an answer for an operation that moto does not have.
// Call is the end of its path or of its header X-Amz-Target.
func Instead(cfg aws.Config, call, answer string) aws.Config {
	moto := cfg.HTTPClient
	cfg.HTTPClient = awstest.Client(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path+r.Header.Get("X-Amz-Target"), call) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(answer))}, nil
		}
		return moto.Do(r)
	})
	return cfg
}

package kubernetes_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A proxy is between the cleaner and an API server. It counts the calls and the bytes of
// their answers as they were sent, which is compressed.
type proxy struct {
	// before sees each request first. If it answers the request, it returns true. It may be nil.
	before func(w http.ResponseWriter, r *http.Request) bool
	// after sees each answer of the API server before the cleaner does. It may be nil.
	after        func(*http.Response)
	calls, bytes atomic.Int64
}

// proxy starts the proxy with a certificate of the cluster's authority and returns its URL.
func (c *cluster) proxy(p *proxy) string {
	c.Helper()
	target, err := url.Parse(c.url)
	awstest.NoError(c, err)
	reverse := &httputil.ReverseProxy{
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // a test cuts answers short
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.ca.pool()}, ForceAttemptHTTP2: true, DisableCompression: true},
		ModifyResponse: func(r *http.Response) error {
			if p.after != nil {
				p.after(r)
			}
			r.Body = countingBody{r.Body, &p.bytes}
			return nil
		},
	}
	return c.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.calls.Add(1)
		if p.before == nil || !p.before(w, r) {
			reverse.ServeHTTP(w, r)
		}
	})).URL
}

type countingBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (b countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	return n, err
}

func TestTheProxyCountsAndAnswers(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.create(pods, pod("p", "app:v1"))
	p := &proxy{before: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/throttled" {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return r.URL.Path == "/throttled"
	}}
	c.url = c.proxy(p)
	awstest.Equal(t, "status of the first call", http.StatusTooManyRequests, c.get("/throttled").status)
	awstest.Equal(t, "status of the second call", http.StatusOK, c.get("/api/v1/pods").status)
	awstest.Equal(t, "calls", int64(2), p.calls.Load())
	if p.bytes.Load() == 0 {
		t.Error("the proxy has counted no bytes")
	}
}

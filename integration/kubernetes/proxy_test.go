package kubernetes_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A proxy is between the cleaner and an API server. It counts the calls and the bytes of
// their bodies as they were sent, which is compressed.
type proxy struct {
	url          string
	calls, bytes atomic.Int64
}

// A hook sees a request first. If it answers the request, it returns true.
type hook func(w http.ResponseWriter, r *http.Request) bool

// proxy starts a proxy with a certificate of the cluster's authority. The hook may be nil.
func (c *cluster) proxy(h hook) *proxy {
	c.Helper()
	target, err := url.Parse(c.url)
	awstest.NoError(c, err)
	p := &proxy{}
	reverse := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.ca.pool()}, ForceAttemptHTTP2: true, DisableCompression: true},
		ModifyResponse: func(r *http.Response) error {
			r.Body = countingBody{r.Body, &p.bytes}
			return nil
		},
	}
	p.url = c.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.calls.Add(1)
		if h == nil || !h(w, r) {
			reverse.ServeHTTP(w, r)
		}
	})).URL
	return p
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

// once returns a hook that runs h for the first request that matches.
func once(matches func(*http.Request) bool, h hook) hook {
	var done atomic.Bool
	return func(w http.ResponseWriter, r *http.Request) bool {
		return matches(r) && done.CompareAndSwap(false, true) && h(w, r)
	}
}

func TestTheProxyCountsAndAnswers(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.create(pods, pod("p", "app:v1"))
	p := c.proxy(once(func(r *http.Request) bool { return r.URL.Path == "/api/v1/pods" }, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Too many requests, please try again later.", http.StatusTooManyRequests)
		return true
	}))
	direct := c.url
	c.url = p.url
	awstest.Equal(t, "status of the first call", http.StatusTooManyRequests, c.get("/api/v1/pods").status)
	awstest.Equal(t, "status of the second call", http.StatusOK, c.get("/api/v1/pods").status)
	awstest.Equal(t, "calls", int64(2), p.calls.Load())
	c.url = direct
	if p.bytes.Load() == 0 {
		t.Error("the proxy has counted no bytes")
	}
}

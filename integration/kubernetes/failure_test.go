package kubernetes_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// inUse returns a site where a pod uses app:v1, and app:v2 is unused.
func inUse(t *testing.T, flags ...string) *site {
	t.Helper()
	s := newSite(t, flags...)
	s.push("app:v1", "app:v2")
	s.create(pods, pod("p", "app:v1"))
	return s
}

func TestARoleWithoutAccessFailsTheScan(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(builtIns...)
	s.wantFailure(otherKey, eks, "401", "aws eks create-access-entry --cluster-name prod")
	s.clusters[clusterName]["accessConfig"] = object{"authenticationMode": "CONFIG_MAP"}
	s.wantFailure(otherKey, eks, "401", "aws-auth")
	s.wantLeft("app:v1", "app:v2")
	s.apply(eks)
	s.wantLeft("app:v1")
}

// The authority of another cluster is not trusted.
func TestAnotherCertificateFailsTheScan(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(builtIns...)
	s.add(clusterName, s.url, newAuthority(t), nil)
	s.wantFailure(cleanerKey, eks, "certificate")
	s.wantLeft("app:v1", "app:v2")
}

func TestMissingRightsFailTheScan(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.wantFailure(cleanerKey, eks, "403", cleanerUser, "ClusterRole")
	for i := range builtIns {
		s.allow(strings.Replace(builtIns[i], " replicasets", "", 1))
	}
	s.wantFailure(cleanerKey, eks, "list replicasets.apps", "403", "ClusterRole")
	s.wantLeft("app:v1", "app:v2")
	s.allow("apps: replicasets")
	s.apply(eks)
	s.wantLeft("app:v1")
}

// AWS's view policy lacks pod templates, so they are a finding.
func TestPodTemplatesMayBeDenied(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(append(builtIns[1:], ": pods replicationcontrollers")...)
	r := s.apply(eks)
	s.wantLeft("app:v1")
	s.wantFinding(r, "kubernetesNotListed", "podtemplates")
}

// The API server serves one request, which waits. It throttles the scan until then.
func TestAThrottledScanWaits(t *testing.T) {
	t.Parallel()
	s := inUse(t, "--enable-priority-and-fairness=false", "--max-requests-inflight=1")
	s.allow(builtIns...)
	release := s.occupy()
	var throttled atomic.Int64
	s.through(&proxy{after: func(r *http.Response) {
		if r.StatusCode == http.StatusTooManyRequests && throttled.Add(1) == 1 {
			release()
		}
	}})
	s.apply(eks)
	s.wantLeft("app:v1")
	if throttled.Load() == 0 {
		t.Error("the API server did not throttle the scan")
	}
}

// An aggregated API without its server is a finding, unless the role may list its kinds.
func TestADeadAggregatedAPI(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(builtIns...)
	s.aggregate("example.com", "v1")
	r := s.apply(eks)
	s.wantLeft("app:v1")
	s.wantFinding(r, "kubernetesNotListed", "example.com")
	s.push("app:v2")
	s.allow("example.com: things")
	s.wantFailure(cleanerKey, eks, "example.com", "protect.eksResources")
	s.wantLeft("app:v1", "app:v2")
}

// Custom resources whose conversion fails may name any image.
func TestADeadConversionWebhookFailsTheScan(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(builtIns...)
	s.defineThings(deadWebhook)
	s.apply(eks) // the role may not list things
	s.wantLeft("app:v1")
	s.push("app:v2")
	s.allow("example.com: things")
	s.wantFailure(cleanerKey, eks, "things.example.com", "conversion webhook", "protect.eksResources")
	s.wantLeft("app:v1", "app:v2")
	s.apply(eks + `, "eksResources": []`)
	s.wantLeft("app:v1")
}

// A list that the API server cannot answer fails the scan.
func TestAnUnavailableAPIServerFailsTheScan(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(builtIns...)
	s.through(&proxy{before: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/v1/pods" {
			return false
		}
		http.Error(w, "service unavailable", http.StatusServiceUnavailable)
		return true
	}})
	s.wantFailure(cleanerKey, eks, "list pods", "503", "service unavailable")
	s.wantLeft("app:v1", "app:v2")
}

// cut ends an answer after a part of its body.
type cut struct {
	io.ReadCloser
	left int
}

func (c *cut) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// An answer that is cut short is no list. The scan repeats the request some times.
func TestAnAnswerThatIsCutShort(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(builtIns...)
	var times atomic.Int64
	s.through(&proxy{after: func(r *http.Response) {
		if r.Request.URL.Path == "/api/v1/pods" && times.Add(-1) >= 0 {
			r.Body = &cut{r.Body, 100}
		}
	}})
	times.Store(100)
	s.wantFailure(cleanerKey, eks, "list pods", "EOF")
	s.wantLeft("app:v1", "app:v2")
	times.Store(1)
	s.apply(eks)
	s.wantLeft("app:v1")
}

package kubernetes_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// largeCluster streams pods, so that the test itself needs little memory. Every tenth pod
// has another image. It records the largest heap.
type largeCluster struct {
	*fakeAPI
	pods, pageSize int
	peak           uint64
}

func (l *largeCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != pods {
		l.fakeAPI.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	l.write(zip, r)
	_ = zip.Close()
}

func (l *largeCluster) write(w io.Writer, r *http.Request) {
	from := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("continue"), &from)
	to, next := from+l.pageSize, ""
	if to < l.pods {
		next = fmt.Sprint(to)
	}
	_, _ = fmt.Fprintf(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"continue":%q},"items":[`, next)
	filler := strings.Repeat(`{"manager":"kubectl","fieldsV1":{"f:metadata":{}}},`, 60)
	for i := from; i < to; i++ {
		if i > from {
			_, _ = io.WriteString(w, ",")
		}
		_, _ = fmt.Fprintf(w, `{"metadata":{"name":"p%d","namespace":"prod","managedFields":[%s{}]},"spec":{"containers":[{"name":"app","image":%q}]},
			"status":{"containerStatuses":[{"name":"app","imageID":"%sapp@sha256:%064x","state":{"running":{}}}]}}`, i, filler, fmt.Sprint(registry, "app:v", i/10), registry, i/10)
		if i%100 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			l.peak = max(l.peak, m.HeapAlloc)
		}
	}
	_, _ = io.WriteString(w, "]}")
}

// The memory does not depend on the size of the cluster: 70 MB of pods fit in 20 MB. Other
// tests must not run at the same time.
func TestALargeClusterNeedsLittleMemory(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	l := &largeCluster{fakeAPI: newFake(), pods: 20_000, pageSize: 500}
	if awstest.Race {
		l.pods = 2000
	}
	c := cluster(t, l)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	uses := 0
	for _, err := range c.Uses(t.Context()) {
		awstest.NoError(t, err)
		uses++
	}
	awstest.Equal(t, "uses, at most five of an image", l.pods, uses)
	used := float64(l.peak-min(l.peak, before.HeapAlloc)) / (1 << 20)
	t.Logf("peak of the heap: %.1f MB", used)
	if used > 20 {
		t.Errorf("the heap grew by %.1f MB, the limit is 20", used)
	}
}

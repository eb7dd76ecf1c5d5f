package kubernetes_test

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// many are objects to create.
type many struct {
	collection string
	count      int
	object     func(i int) object
}

// load creates many objects, sixteen at a time.
func (c *cluster) load(all ...many) {
	c.Helper()
	jobs := make(chan func())
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for job := range jobs {
				job()
			}
		})
	}
	for _, m := range all {
		for i := range m.count {
			jobs <- func() { c.create(m.collection, m.object(i)) }
		}
	}
	close(jobs)
	workers.Wait()
}

// large returns a pod template of the size that is usual: an application with its settings
// and probes, and two sidecars.
func large(image string) object {
	probe := object{"httpGet": object{"path": "/health", "port": 8080}, "periodSeconds": 10, "timeoutSeconds": 2}
	var containers []object
	for _, name := range []string{"app", "proxy", "logs"} {
		c := container(image)
		c["name"], c["livenessProbe"], c["readinessProbe"] = name, probe, probe
		c["resources"] = object{"requests": object{"cpu": "100m", "memory": "128Mi"}, "limits": object{"memory": "256Mi"}}
		c["volumeMounts"] = []object{{"name": "config", "mountPath": "/etc/app"}, {"name": "data", "mountPath": "/data"}}
		var env []object
		for i := range 12 {
			env = append(env, object{"name": fmt.Sprintf("SETTING_NUMBER_%02d", i), "value": fmt.Sprintf("https://service-%02d.example.com/api/v1", i)})
		}
		c["env"] = env
		containers = append(containers, c)
	}
	return object{
		"metadata": object{"labels": selector, "annotations": object{"example.com/checksum": awstest.Digest(1)}},
		"spec": object{"containers": containers, "volumes": []object{
			{"name": "config", "configMap": object{"name": "config"}}, {"name": "data", "emptyDir": object{}},
		}},
	}
}

func largePod(i int) object {
	o := large(fmt.Sprintf("app-%d:v1", i%2000))
	o["metadata"].(object)["name"] = fmt.Sprint("pod-", i)
	var statuses []object
	for _, name := range []string{"app", "proxy", "logs"} {
		statuses = append(statuses, object{
			"name": name, "image": ecr("app:v1"), "imageID": ecr(fmt.Sprintf("app-%d@%s", i%2000, awstest.Digest(i%2000))),
			"ready": true, "restartCount": 0, "state": object{"running": object{"startedAt": "2026-01-01T00:00:00Z"}},
		})
	}
	o["status"] = object{"phase": "Running", "containerStatuses": statuses}
	return o
}

func largeWorkload(name string, replicas int) func(i int) object {
	return func(i int) object {
		return object{"metadata": object{"name": fmt.Sprint(name, i)}, "spec": object{
			"replicas": replicas, "selector": object{"matchLabels": selector}, "template": large(fmt.Sprintf("app-%d:v%d", i%2000, i/2000)),
		}}
	}
}

// The memory of a scan does not grow with the cluster: the whole process needs at most
// 20 MB more than with an empty cluster.
func TestALargeClusterNeedsLittleMemory(t *testing.T) {
	s := newSite(t)
	s.allow(builtIns...)
	s.push("app-0:v1", "unused:v1")
	empty := s.plan()
	begin := time.Now()
	s.load(
		many{pods, 5000, largePod},
		many{deployments, 2000, largeWorkload("web-", 2)},
		many{replicaSets, 10_000, largeWorkload("web-", 0)},
		many{controllerRevisions, 2000, func(i int) object {
			return object{"metadata": object{"name": fmt.Sprint("web-", i)}, "revision": 1, "data": object{"spec": object{"template": large("app-0:v1")}}}
		}},
	)
	t.Logf("19,000 objects in %.1f s; their lists have %d MB of JSON", time.Since(begin).Seconds(), s.bytes(pods, deployments, replicaSets, controllerRevisions)>>20)
	p := &proxy{}
	s.through(p)
	begin = time.Now()
	full := s.plan()
	t.Logf("scan: %d calls, %.1f MB compressed, %.1f s, %d MB at most of the whole process, %d MB with an empty cluster",
		p.calls.Load(), float64(p.bytes.Load())/1e6, time.Since(begin).Seconds(), full>>20, empty>>20)
	heap := s.peakHeap()
	t.Logf("heap of the source: %.1f MB at most", float64(heap)/1e6)
	if more := full - empty; more > 20<<20 {
		t.Errorf("the scan needs %.1f MB, want at most 20", float64(more)/(1<<20))
	}
}

// plan plans as the command-line tool does and returns the largest memory of its process,
// in bytes.
func (s *site) plan() int64 {
	s.Helper()
	_, process := s.tool(cleanerKey, 0, "plan", "--output", "json", "--config", configuration(eks))
	return process.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// bytes returns the size of lists in pages, without compression.
func (c *cluster) bytes(collections ...string) (n int) {
	c.Helper()
	for _, collection := range collections {
		for next := ""; ; {
			_, after, a := c.list(collection, 500, next)
			if n += len(a.body); after == "" {
				break
			}
			next = after
		}
	}
	return n
}

// peakHeap runs the source in this process and returns by how many bytes its objects
// increase the heap, garbage included.
func (s *site) peakHeap() uint64 {
	s.Helper()
	cfg := awsclient.Local(s.endpoint, awstest.Region)
	cfg.Credentials = credentials.NewStaticCredentialsProvider(cleanerKey, secret, "")
	c, problems := config.Parse([]byte(configuration(eks)))
	awstest.Empty(s, "problems of the configuration", problems)
	sources := function.Connect(cfg, time.Now).Sources(c)
	runtime.GC()
	before := heapBytes()
	done := make(chan inuse.Scan)
	go func() { done <- inuse.Scope{}.Run(s.Context(), sources, time.Now()) }()
	peak := before
	for tick := time.NewTicker(time.Millisecond); ; {
		select {
		case <-tick.C:
			peak = max(peak, heapBytes())
		case scan := <-done:
			tick.Stop()
			awstest.Empty(s, "failed sources", scan.Failed)
			s.Logf("%d uses", len(scan.Uses))
			return peak - before
		}
	}
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

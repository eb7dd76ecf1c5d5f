package kubernetes_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// gcPercent is the GOGC of the function.
const gcPercent = 200

// The memory of the source does not grow with the cluster. The result of the scan grows with
// the number of images in use. Here 2,000 deployments with five old replica sets each use
// 12,000 images.
func TestTheMemoryOfAScanOfALargeCluster(t *testing.T) {
	s := newSite(t)
	s.allow(builtIns...)
	s.push("app-0:v5", "unused:v1")
	t.Log("an empty cluster:", s.plan())
	const apps = 2000
	revision := func(i int) (string, string) { return fmt.Sprint("app-", i%apps), fmt.Sprint("v", i/apps) }
	newest := func(i int) (string, string) { return fmt.Sprint("app-", i%apps), "v5" }
	s.load(pods, largePod(), 5000, newest)
	s.load(deployments, largeWorkload(2), apps, newest)
	s.load(replicaSets, largeWorkload(0), 5*apps, revision)
	s.load(controllerRevisions, object{"metadata": object{}, "revision": 1, "data": object{"spec": object{"template": large()}}}, apps, newest)
	t.Logf("5,000 pods, 2,000 deployments, 10,000 replica sets and 2,000 controller revisions have %d MB of JSON",
		s.bytes(pods, deployments, replicaSets, controllerRevisions)/1e6)
	p := &proxy{}
	s.through(p)
	t.Log("this cluster:", s.plan())
	t.Logf("%d calls of the API server, %.1f MB compressed", p.calls.Load(), float64(p.bytes.Load())/1e6)
	if heap := s.peakHeap(); heap > 20e6 {
		t.Errorf("the source needs %d bytes, want at most 20 MB", heap)
	}
}

// plan plans with the command-line tool, and returns the cost of its process.
func (s *site) plan() string {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), filepath.Join(programs, "ecrclean"), "plan", "--output", "json", "--config", configuration(eks))
	cmd.Env = append(s.environment(cleanerKey), fmt.Sprint("GOGC=", gcPercent))
	awstest.NoError(s, cmd.Start())
	begin := time.Now()
	peak := ""
	ended := make(chan error)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			// The kernel's ru_maxrss includes the memory of the process that started this one.
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)) // fails at the end
			if _, line, found := strings.Cut(string(status), "VmHWM:"); found {
				peak, _, _ = strings.Cut(strings.TrimSpace(line), "\n")
			}
		case err := <-ended:
			awstest.NoError(s, err)
			cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			return fmt.Sprintf("ecrclean plan takes %.1f s, %.1f s of CPU, and at most %s of memory", time.Since(begin).Seconds(), cpu.Seconds(), peak)
		}
	}
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

// peakHeap runs the source in this process, and drops its uses. It returns by how many bytes
// the objects increase the heap, garbage included.
func (s *site) peakHeap() uint64 {
	s.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	cfg := awsclient.Local(s.endpoint, awstest.Region)
	cfg.Credentials = credentials.NewStaticCredentialsProvider(cleanerKey, secret, "")
	c, problems := config.Parse([]byte(configuration(eks)))
	awstest.Empty(s, "problems of the configuration", problems)
	source := function.Connect(cfg, time.Now).Sources(c, "run-1")[0]
	runtime.GC()
	before, begin := heapBytes(), time.Now()
	uses, ended := 0, make(chan error)
	go func() {
		var last error
		for _, err := range source.Uses(s.Context()) {
			uses++
			last = err
		}
		ended <- last
	}()
	peak := before
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			peak = max(peak, heapBytes())
		case err := <-ended:
			awstest.NoError(s, err)
			s.Logf("the source alone takes %.1f s for %d uses, and at most %.1f MB of heap", time.Since(begin).Seconds(), uses, float64(peak-before)/1e6)
			return peak - before
		}
	}
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

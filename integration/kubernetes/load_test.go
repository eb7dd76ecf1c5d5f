package kubernetes_test

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// A batch of objects that load creates.
type many struct {
	collection string
	count      int
	object     func(i int) object
}

// load creates many objects, some at a time. Objects have the size that they have in a
// cluster.
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

func TestLoad(t *testing.T) {
	c := start(t)
	begin := time.Now()
	c.load(many{pods, 1000, func(i int) object { return pod(fmt.Sprint("pod-", i), fmt.Sprint("app:v", i)) }})
	t.Log("1000 pods", time.Since(begin))
	begin = time.Now()
	c.load(many{replicaSets, 1000, func(i int) object { return workload(fmt.Sprint("rs-", i), fmt.Sprint("app:v", i), 0) }})
	t.Log("1000 rs", time.Since(begin))
}

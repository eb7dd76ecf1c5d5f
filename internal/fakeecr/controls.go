package fakeecr

import (
	"cmp"
	"context"
	"maps"
	"sync"
	"time"
)

// controls hold what is asked of a server for the sake of a test. In every
// map the operation "" stands for all of them.
type controls struct {
	clock func() time.Time

	mu        sync.Mutex
	latencies map[string]time.Duration
	buckets   map[string]*bucket
	faults    map[faultKey]*injection
	hooks     map[string]func()
	calls     map[string]int
}

type faultKey struct{ operation, repo string }

// An injection is a fault for the next calls, or for all when left is
// negative.
type injection struct {
	code string
	left int
}

func newControls(clock func() time.Time) controls {
	return controls{
		clock:     clock,
		latencies: map[string]time.Duration{},
		buckets:   map[string]*bucket{},
		faults:    map[faultKey]*injection{},
		hooks:     map[string]func(){},
		calls:     map[string]int{},
	}
}

// Latency delays every call of an operation by d; "" means each operation that
// has no latency of its own.
func (s *Server) Latency(operation string, d time.Duration) {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	s.controls.latencies[operation] = d
}

// Throttle answers ThrottlingException to calls of an operation beyond burst
// at once and perSecond in the long run, in real time. With perSecond 0 there
// are burst calls and no more; with both 0 throttling ends. The operation ""
// means all operations together that have no throttle of their own.
func (s *Server) Throttle(operation string, perSecond float64, burst int) {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	if perSecond == 0 && burst == 0 {
		delete(s.controls.buckets, operation)
		return
	}
	s.controls.buckets[operation] = newBucket(perSecond, burst, s.controls.clock())
}

// Fail answers the error code to every call of an operation on a repository,
// for instance AccessDeniedException; the code "" ends it. The operation ""
// means every operation, the repository "" every call; the more specific one
// counts, the operation first.
func (s *Server) Fail(operation, repo, code string) { s.FailNext(operation, repo, code, -1) }

// FailNext does what [Server.Fail] does for the next n calls.
func (s *Server) FailNext(operation, repo, code string, n int) {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	key := faultKey{operation, repo}
	if code == "" || n == 0 {
		delete(s.controls.faults, key)
		return
	}
	s.controls.faults[key] = &injection{code, n}
}

// Before has f called before each call of an operation is carried out, or
// refused because of [Server.Fail]; "" means each operation without a function
// of its own, and nil ends it. f may use every method of the server. It may be
// called by several goroutines at once.
func (s *Server) Before(operation string, f func()) {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	s.controls.hooks[operation] = f
}

// Calls returns how many requests were answered, by operation, those that were
// throttled or failed included.
func (s *Server) Calls() map[string]int {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	return maps.Clone(s.controls.calls)
}

// ResetCalls starts counting calls from zero.
func (s *Server) ResetCalls() {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	clear(s.controls.calls)
}

func (c *controls) count(operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[operation]++
}

// wait returns when the operation's latency is over or the caller has gone.
func (c *controls) wait(ctx context.Context, operation string) error {
	c.mu.Lock()
	d, own := c.latencies[operation]
	if !own {
		d = c.latencies[""]
	}
	c.mu.Unlock()
	if d <= 0 {
		return nil
	}
	return pause(ctx, d)
}

// admit reports whether the call is within the limit of its operation.
func (c *controls) admit(operation string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := cmp.Or(c.buckets[operation], c.buckets[""])
	return b == nil || b.take(c.clock())
}

// before calls the function that is set for the operation.
func (c *controls) before(operation string) {
	c.mu.Lock()
	f := c.hooks[operation]
	if f == nil {
		f = c.hooks[""]
	}
	c.mu.Unlock()
	if f != nil {
		f()
	}
}

// fault returns the code with which the call is to fail, or "".
func (c *controls) fault(operation, repo string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range []faultKey{{operation, repo}, {operation, ""}, {"", repo}, {"", ""}} {
		if in := c.faults[key]; in != nil {
			in.left--
			if in.left == 0 {
				delete(c.faults, key)
			}
			return in.code
		}
	}
	return ""
}

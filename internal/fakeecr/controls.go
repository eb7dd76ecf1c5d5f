package fakeecr

import (
	"cmp"
	"context"
	"maps"
	"sync"
	"time"
)

// controls hold the settings of a test. In every map the operation "" means all
// operations.
type controls struct {
	clock func() time.Time

	mu        sync.Mutex
	latencies map[string]time.Duration
	buckets   map[string]*bucket
	faults    map[faultKey]*failRule
	hooks     map[string]func()
	calls     map[string]int
}

type faultKey struct{ operation, repo string }

// A failRule has the error code for the next calls, or for all calls if left is negative.
type failRule struct {
	code string
	left int
}

func newControls(clock func() time.Time) controls {
	return controls{
		clock:     clock,
		latencies: map[string]time.Duration{},
		buckets:   map[string]*bucket{},
		faults:    map[faultKey]*failRule{},
		hooks:     map[string]func(){},
		calls:     map[string]int{},
	}
}

// Latency delays every call of an operation by d. The operation "" means all operations
// without their own latency.
func (s *Server) Latency(operation string, d time.Duration) {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	s.controls.latencies[operation] = d
}

// Throttle limits the calls of an operation in real time, with a bucket of burst tokens
// that gets perSecond new tokens. Other calls fail with a ThrottlingException. If
// perSecond is 0, only the first burst calls succeed. If both are 0, throttling ends. The
// operation "" is one limit for all operations without their own limit.
func (s *Server) Throttle(operation string, perSecond float64, burst int) {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	if perSecond == 0 && burst == 0 {
		delete(s.controls.buckets, operation)
		return
	}
	s.controls.buckets[operation] = newBucket(perSecond, burst, s.controls.clock())
}

// AllRepositories stands for the list of the registry in [Server.Fail]. It is the end of the
// resource that a role needs for this list.
const AllRepositories = "*"

// Fail makes every call of an operation on a repository fail with the error code, such as
// AccessDeniedException. The code "" ends that. The operation "" means every operation,
// and the repository "" every repository. If several codes apply, the one for the operation
// is first, then the one for the repository. With the repository [AllRepositories] only a
// DescribeRepositories without names fails.
func (s *Server) Fail(operation, repo, code string) { s.FailNext(operation, repo, code, -1) }

// FailNext is [Server.Fail] for the next n calls.
func (s *Server) FailNext(operation, repo, code string, n int) {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	key := faultKey{operation, repo}
	if code == "" || n == 0 {
		delete(s.controls.faults, key)
		return
	}
	s.controls.faults[key] = &failRule{code, n}
}

// Before sets the function that the server calls before each call of an operation, also
// if [Server.Fail] refuses the call. The operation "" means all operations without their
// own function; nil removes the function. f may use every method of the server. Several
// goroutines may call f at once.
func (s *Server) Before(operation string, f func()) {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	s.controls.hooks[operation] = f
}

// Calls returns the number of answered requests by operation, including throttled and
// failed requests.
func (s *Server) Calls() map[string]int {
	s.controls.mu.Lock()
	defer s.controls.mu.Unlock()
	return maps.Clone(s.controls.calls)
}

// ResetCalls sets the counts of [Server.Calls] to zero.
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

// wait returns after the latency of the operation, or when the caller leaves.
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

// before calls the function of the operation, if any.
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

// fault returns the error code for the call, or "".
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

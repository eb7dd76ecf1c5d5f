package hostile_test

import (
	"sync"
	"time"
)

// The clocks of a trial. Time in a synctest bubble passes without waiting. When the
// machine is suspended, its wall clock and the service's move on, but its timers do
// not. When the machine's clock jumps, the service's does not.
type clocks struct {
	mu              sync.Mutex
	suspended, skew time.Duration
	// latest is how long the machine was suspended at the instant that is last.
	latest time.Duration
	last   time.Time
}

// service returns the time at the service, which is the right one.
func (c *clocks) service() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.suspended).Round(0).UTC()
}

// machine returns the time that the machine's wall clock shows.
func (c *clocks) machine() time.Time {
	now := c.service()
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Add(c.skew)
}

func (c *clocks) suspend(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); !now.Equal(c.last) {
		c.last, c.latest = now, 0
	}
	c.suspended += d
	c.latest += d
}

// known returns the time at the service as far as a caller could know it. If several
// calls are under way at one instant, the machine may have been suspended between the
// caller's reading of the clock and its call.
func (c *clocks) known(at time.Time, several bool) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if several && c.last.Equal(time.Now()) {
		return at.Add(-c.latest)
	}
	return at
}

func (c *clocks) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew += d
}

// pass lets time pass for a caller that may hold a mutex for which another waits: then no timer of
// the bubble runs. If there may be another caller, only the wall clocks move on.
func (f *fixture) pass(d time.Duration) {
	if f.workers == 1 && len(f.repositories) == 1 {
		time.Sleep(d)
		return
	}
	f.clocks.suspend(d)
}

package fakeecr

import "time"

// A bucket is a token bucket. A new bucket is full.
type bucket struct {
	perSecond, burst, tokens float64
	filled                   time.Time
}

// newBucket returns a bucket of at least one token. An empty bucket would let no call
// through at any rate.
func newBucket(perSecond float64, burst int, now time.Time) *bucket {
	size := float64(max(burst, 1))
	return &bucket{perSecond, size, size, now}
}

// take takes a token, if any.
func (b *bucket) take(now time.Time) bool {
	if passed := now.Sub(b.filled).Seconds(); passed > 0 {
		b.tokens = min(b.burst, b.tokens+passed*b.perSecond)
		b.filled = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

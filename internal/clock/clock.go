// Package clock measures ages. A suspended machine or a clock that is set back does not
// make them smaller.
package clock

import (
	"math"
	"time"
)

// Unknown is an age that exceeds every limit.
const Unknown = time.Duration(math.MaxInt64)

// A Stamp is a time by two clocks. The wall clock runs while the machine is suspended,
// but can be set. The steady clock cannot be set, but stops while the machine is suspended.
type Stamp struct{ Wall, steady time.Time }

// Read returns the present. Clock is the wall clock, and nil means the machine's.
func Read(clock func() time.Time) Stamp {
	s := Stamp{steady: Now()}
	if s.Wall = s.steady; clock != nil {
		s.Wall = clock()
	}
	return s
}

// Known reports whether s is not the zero Stamp.
func (s Stamp) Known() bool { return !s.steady.IsZero() }

// Age returns the time from s to now, by the clock that shows more. It is Unknown if the
// wall clock was set back, which could hide that the machine was suspended. The age of
// the zero Stamp exceeds every limit.
func (s Stamp) Age(now Stamp) time.Duration {
	wall := now.Wall.Round(0).Sub(s.Wall.Round(0))
	if wall < 0 {
		return Unknown
	}
	return max(wall, now.steady.Sub(s.steady))
}

// Now reads the clock to measure how long a call takes. No verdict depends on it.
func Now() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does

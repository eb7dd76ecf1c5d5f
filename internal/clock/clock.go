package clock

import (
	"math"
	"time"
)

// A Stamp is a point in time by two clocks. The wall clock runs while the machine is
// suspended, but can be set. The steady clock cannot be set, but stands still while the
// machine is suspended.
type Stamp struct{ Wall, steady time.Time }

// Read returns the present. Clock is the wall clock; nil means the machine's.
func Read(clock func() time.Time) Stamp {
	m := Stamp{steady: Now()}
	if m.Wall = m.steady; clock != nil {
		m.Wall = clock()
	}
	return m
}

// Age returns how long ago the moment was, by the clock that shows more. It is
// unknownAge for the zero moment and for a moment in the future: then the wall clock
// was set back, which could hide that the machine was suspended.
func (m Stamp) Age(now Stamp) time.Duration {
	wall := now.Wall.Round(0).Sub(m.Wall.Round(0))
	if wall < 0 {
		return Unknown
	}
	return max(wall, now.steady.Sub(m.steady))
}

// Unknown is greater than every limit of an age.
const Unknown = time.Duration(math.MaxInt64)

// Known reports whether the moment is not zero.
func (m Stamp) Known() bool { return !m.steady.IsZero() }

// Now reads the clock to see how long calls took. No verdict depends on it.
func Now() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does

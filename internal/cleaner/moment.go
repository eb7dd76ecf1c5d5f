package cleaner

import (
	"math"
	"time"
)

// A moment is a point in time by two clocks. The wall clock runs while the machine is
// suspended, but can be set. The steady clock cannot be set, but stands still while the
// machine is suspended.
type moment struct{ wall, steady time.Time }

// momentOf returns the present. Clock is the wall clock; nil means the machine's.
func momentOf(clock func() time.Time) moment {
	m := moment{steady: instant()}
	if m.wall = m.steady; clock != nil {
		m.wall = clock()
	}
	return m
}

// age returns how long ago the moment was, by the clock that shows more. It is
// unknownAge for the zero moment and for a moment in the future: then the wall clock
// was set back, which could hide that the machine was suspended.
func (m moment) age(now moment) time.Duration {
	wall := now.wall.Round(0).Sub(m.wall.Round(0))
	if wall < 0 {
		return unknownAge
	}
	return max(wall, now.steady.Sub(m.steady))
}

// unknownAge is greater than every limit of an age.
const unknownAge = time.Duration(math.MaxInt64)

// known reports whether the moment is not zero.
func (m moment) known() bool { return !m.steady.IsZero() }

// instant reads the clock to see how long calls took. No verdict depends on it.
func instant() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does

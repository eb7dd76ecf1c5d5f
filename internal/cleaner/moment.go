package cleaner

import (
	"math"
	"time"
)

// A moment is a point in time by two clocks. The wall clock also runs while the
// machine is suspended, but a person can set it. The steady clock cannot be set, but
// it stands still while the machine is suspended.
type moment struct{ wall, steady time.Time }

// momentOf returns the present; clock is the wall clock, and nil takes the
// machine's.
func momentOf(clock func() time.Time) moment {
	m := moment{steady: instant()}
	if m.wall = m.steady; clock != nil {
		m.wall = clock()
	}
	return m
}

// age returns how long ago the moment was, by the clock that says more. The zero moment
// is older than everything, and so is one that lies ahead: the wall clock was set back
// since, and would hide that the machine was suspended.
func (m moment) age(now moment) time.Duration {
	wall := now.wall.Round(0).Sub(m.wall.Round(0))
	if wall < 0 {
		return unknownAge
	}
	return max(wall, now.steady.Sub(m.steady))
}

// unknownAge is older than everything.
const unknownAge = time.Duration(math.MaxInt64)

// known reports whether the moment is not zero.
func (m moment) known() bool { return !m.steady.IsZero() }

// instant reads the clock to see how long calls took. No verdict depends on it.
func instant() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does

package evaluator

import (
	"cmp"
	"math"
	"time"
)

// An Instant is a time from 1677 to 2262, to the nanosecond. It needs a third of the
// memory of a time.Time. The zero value is no time.
type Instant int64 // nanoseconds since 1970, plus one

const (
	firstInstant Instant = math.MinInt64 + 1
	lastInstant  Instant = math.MaxInt64
)

// At returns the instant of a time, and zero for the zero time. A time outside the range
// becomes the first or the last instant.
func At(t time.Time) Instant {
	const holds = math.MaxInt64/int64(time.Second) - 1
	switch seconds := t.Unix(); {
	case t.IsZero():
		return 0
	case seconds < -holds:
		return firstInstant
	case seconds > holds:
		return lastInstant
	}
	i := Instant(t.UnixNano() + 1)
	if i == 0 {
		i-- // the last nanosecond before 1970 is not zero
	}
	return i
}

// Time returns the time in UTC, and the zero time for none.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)-1).UTC()
}

// IsZero reports whether i is no time.
func (i Instant) IsZero() bool { return i == 0 }

// Before reports whether i is before j.
func (i Instant) Before(j Instant) bool { return i < j }

// After reports whether i is after j.
func (i Instant) After(j Instant) bool { return i > j }

// Compare returns -1 if i is before j, 0 if they are the same, and 1 if i is after j.
func (i Instant) Compare(j Instant) int { return cmp.Compare(i, j) }

// Sub returns the duration from j to i. A duration that does not fit becomes the longest.
func (i Instant) Sub(j Instant) time.Duration {
	d := i - j
	switch {
	case i >= 0 && j < 0 && d < 0:
		return math.MaxInt64
	case i < 0 && j >= 0 && d >= 0:
		return math.MinInt64
	}
	return time.Duration(d)
}

// String returns the time in RFC 3339 format, or "-" for none.
func (i Instant) String() string {
	if i == 0 {
		return "-"
	}
	return i.Time().Format(time.RFC3339Nano)
}

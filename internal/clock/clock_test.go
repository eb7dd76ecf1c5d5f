package clock

import (
	"testing"
	"time"
)

func TestTheAgeOfAStamp(t *testing.T) {
	t.Parallel()
	then := Stamp{time.Unix(1e9, 0), time.Unix(2e9, 0)}
	for _, c := range []struct {
		wall, steady time.Duration
		least        time.Duration
	}{
		{time.Second, time.Second, time.Second},
		{time.Minute, time.Second, time.Minute}, // suspended, or set ahead
		{0, time.Second, time.Second},
		{-1, time.Second, 290 * 365 * 24 * time.Hour}, // set back, perhaps suspended before
		{-time.Hour, 0, 290 * 365 * 24 * time.Hour},
	} {
		if got := then.Age(Stamp{then.Wall.Add(c.wall), then.steady.Add(c.steady)}); got != c.least && (c.wall >= 0 || got < c.least) {
			t.Errorf("wall %v, steady %v: age %v, want %v", c.wall, c.steady, got, c.least)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	wall := time.Unix(1e9, 0)
	if s := Read(func() time.Time { return wall }); s.Wall != wall || !s.Known() || s.Age(s) != 0 {
		t.Errorf("Read with a clock = %+v, age %v", s, s.Age(s))
	}
	if s := Read(nil); s.Wall != s.steady || !s.Known() {
		t.Errorf("Read without a clock = %+v", s)
	}
	var zero Stamp
	if age := zero.Age(Read(nil)); zero.Known() || age < 290*365*24*time.Hour {
		t.Errorf("the zero stamp: known %v, age %v", zero.Known(), age)
	}
}

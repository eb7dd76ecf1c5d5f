package evaluator_test

import (
	"math"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

var (
	epoch    = time.Unix(0, 0)
	farApart = []time.Time{
		time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1678, 1, 1, 0, 0, 0, 1, time.UTC), epoch.Add(-2), epoch, epoch.Add(1), noon,
		noon.Add(1), noon.In(time.FixedZone("", 3600)).Add(2), time.Date(2261, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
	}
)

func TestInstantsAreInTheOrderOfTheirTimes(t *testing.T) {
	t.Parallel()
	for i, a := range farApart {
		for j, b := range farApart {
			x, y := evaluator.At(a), evaluator.At(b)
			if x.Before(y) != (i < j) || x.After(y) != (i > j) || x.Compare(y) != a.Compare(b) || (x == y) != (i == j) {
				t.Errorf("%v and %v: %v and %v", a, b, x, y)
			}
		}
	}
}

func TestInstantsHoldTheirTimes(t *testing.T) {
	t.Parallel()
	for _, want := range farApart[1 : len(farApart)-1] {
		i := evaluator.At(want)
		if got := i.Time(); !got.Equal(want) || got.Location() != time.UTC || i.IsZero() {
			t.Errorf("%v is held as %v", want, got)
		}
	}
	if got := evaluator.At(noon).String(); got != noon.Format(time.RFC3339Nano) {
		t.Errorf("noon is %s", got)
	}
	if i := evaluator.At(time.Time{}); !i.IsZero() || !i.Time().IsZero() || i.String() != "-" {
		t.Errorf("no time is held as %v", i.Time())
	}
	if last := epoch.Add(-1); evaluator.At(last) != evaluator.At(last.Add(-1)) {
		t.Error("the last nanosecond before 1970 is not held as that before it")
	}
}

func TestInstantsBeyondTheFirstAndTheLast(t *testing.T) {
	t.Parallel()
	if first, last := evaluator.At(farApart[0]), evaluator.At(farApart[len(farApart)-1]); first != math.MinInt64+1 || last != math.MaxInt64 {
		t.Errorf("first %v, last %v", first, last)
	}
}

func TestTheTimeBetweenInstants(t *testing.T) {
	t.Parallel()
	for _, a := range farApart[1 : len(farApart)-1] {
		for _, b := range farApart[1 : len(farApart)-1] {
			if got, want := evaluator.At(a).Sub(evaluator.At(b)), a.Sub(b); got != want {
				t.Errorf("from %v to %v: %v, want %v", b, a, got, want)
			}
		}
	}
}

package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// One Region without a list that counts takes its account out of those that are listed.
func TestAnAccountIsListedIfAllItsRegionsAre(t *testing.T) {
	t.Parallel()
	now := awstest.Now
	a1, a2, b := config.Place{Account: "1", Region: "r1"}, config.Place{Account: "1", Region: "r2"}, config.Place{Account: "2", Region: "r1"}
	good := fleet.Used{Place: a2, At: now.Add(-time.Minute)}
	for name, second := range map[string]*fleet.Used{
		"good": &good, "missing": nil, "empty": {}, "of another place": {Place: b, At: now}, "failed": {Place: a2, At: now, Problem: "x"},
		"old": {Place: a2, At: now.Add(-61 * time.Minute)}, "future": {Place: a2, At: now.Add(6 * time.Minute)},
	} {
		used := map[config.Place]fleet.Used{a1: {Place: a1, At: now}, b: {Place: b, At: now}}
		if second != nil {
			second.Elsewhere = []fleet.Use{{Image: "x"}}
			used[a2] = *second
		}
		for _, places := range [][]config.Place{{a1, a2, b}, {a2, a1, b}} {
			got := fleet.NewBarrier(fleet.Targets{Places: places}, 1, used, now, time.Hour)
			want, failed := "[2]", 1
			if name == "good" {
				want, failed = "[1 2]", 0
			}
			if fmt.Sprint(got.Accounts) != want || len(got.Failed) != failed || second != nil && len(got.Elsewhere) != 1 {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
	if b := fleet.NewBarrier(fleet.Targets{Places: []config.Place{a2}}, 1, map[config.Place]fleet.Used{a2: good}, now, time.Hour); !b.Until(time.Hour).Equal(now.Add(59 * time.Minute)) {
		t.Errorf("until %s", b.Until(time.Hour))
	}
}

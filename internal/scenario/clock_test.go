package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// maxSkew is the largest accepted error of the machine's clock.
const maxSkew = 2 * time.Minute

// With a wrong clock a run ends before it evaluates anything. With any other clock it
// removes the images that are due at the registry's time, plus or minus two minutes.
func TestAWrongClockDecidesNothing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(20260301, 0))
	refused, went := 0, 0
	for _, ahead := range skews(random) {
		p := agedPicture(random)
		f := newSkewedFixture(p, ahead)
		const words = "expire any pushed>30"
		text := configuration(words, `"pulledWithinDays": 7, "pushedWithinHours": 24`, "")
		r := f.runner(t, text)
		r.Remover = f.registry.Remover
		_, err := r.Run(t.Context())
		gone := removed(f)
		if ahead.Abs() > maxSkew {
			refused++
			if err == nil || !strings.Contains(err.Error(), noon.Format(time.RFC3339)) ||
				!strings.Contains(err.Error(), noon.Add(ahead).Format(time.RFC3339)) {
				t.Errorf("%v ahead: error %v, want one with both times", ahead, err)
			}
			if calls := f.server.Calls(); len(gone) > 0 || calls["DescribeImages"] > 0 {
				t.Errorf("%v ahead: %v are gone after the calls %v", ahead, gone, calls)
			}
			continue
		}
		went++
		least, most := removedAt(t, p, text, noon.Add(-maxSkew)), removedAt(t, p, text, noon.Add(maxSkew))
		if err != nil || !contains(gone, least) || !contains(most, gone) {
			t.Errorf("%v ahead: %v are gone (%v), want at least %v and at most %v", ahead, gone, err, least, most)
		}
	}
	if refused < 100 || went < 100 {
		t.Errorf("%d runs were refused, %d went on", refused, went)
	}
}

// skews returns differences of clocks: up to 90 days either way, many of them small.
func skews(random *rand.Rand) []time.Duration {
	all := []time.Duration{0, maxSkew, -maxSkew, maxSkew + time.Second, -maxSkew - time.Second}
	for _, most := range []time.Duration{90 * day, time.Hour, 2 * maxSkew, maxSkew} {
		for range 100 {
			all = append(all, time.Duration(random.Int64N(int64(2*most)))-most)
		}
	}
	return all
}

// agedPicture draws images. The ages of many of them are close to the age at which a
// policy marks images or a protection ends.
func agedPicture(random *rand.Rand) picture {
	var images []image
	for i := range 12 {
		near := func(d time.Duration) time.Duration {
			return d + time.Duration(random.Int64N(int64(6*time.Minute))) - 3*time.Minute
		}
		im := image{name: fmt.Sprint("image", i), age: near(30 * day), tags: []string{fmt.Sprint("v", i)}}
		switch i % 4 {
		case 0:
			im.age = time.Duration(random.Int64N(int64(100 * day)))
		case 1:
			im.age, im.pulled = 90*day, near(7*day)
		case 2:
			im.age = near(day)
		}
		images = append(images, im)
	}
	return picture{{name: "app", images: images}}
}

// removed returns the names of the images that were deleted.
func removed(f *fixture) []string {
	var names []string
	for _, call := range f.removals() {
		names = append(names, strings.Fields(call)...)
	}
	slices.Sort(names)
	return names
}

// removedAt returns the images that a run at that time removes from the picture.
func removedAt(t *testing.T, p picture, configuration string, at time.Time) []string {
	t.Helper()
	f := newQuickFixture(p)
	r := f.runner(t, configuration)
	r.Remover, r.Now = f.registry.Remover, at
	run(t, &r)
	return removed(f)
}

// contains reports whether all has every string of some.
func contains(all, some []string) bool {
	return !slices.ContainsFunc(some, func(name string) bool { return !slices.Contains(all, name) })
}

// Pulls are compared with the beginning of the scan by ECR's time.
func TestPullsAfterTheScanAreSeenByAnyClock(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, 100 * time.Second, -100 * time.Second} {
		f := newSkewedFixture(draw("after 90d\nbefore 90d"), ahead)
		f.source("ecs").answer(t, "task/1 web:v1")
		f.server.Put("app", image{name: "after", age: 90 * day, pulled: -time.Second}.detail(noon))
		f.server.Put("app", image{name: "before", age: 90 * day, pulled: 10 * time.Second}.detail(noon))
		report := f.apply(t, configuration("expire any pushed>30", `"inUse": ["ecs"]`, ""))
		sameLines(t, fmt.Sprint(ahead, " ahead"), f.outcomes(&report), `
			after: expire, inUse a pull since the in-use scan began
			before: expire, deleted`)
	}
}

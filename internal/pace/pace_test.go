package pace_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

// enter begins a call that must be let in at once.
func enter(t *testing.T, p *pace.Pace, operation string) (leave func(pace.End)) {
	t.Helper()
	leave, err := p.Enter(t.Context(), operation)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

// free returns how many calls may be under way.
func free(t *testing.T, p *pace.Pace, operation string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var leaves []func(pace.End)
	for {
		leave, err := p.Enter(ctx, operation)
		if err != nil {
			break
		}
		leaves = append(leaves, leave)
	}
	return len(leaves)
}

// ends are those of calls: + is carried out, - throttled and ? neither.
var ends = map[rune]pace.End{'+': pace.Carried, '-': pace.Throttled, '?': pace.Unknown}

func TestTheLimitFollowsTheEndsOfCalls(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limits pace.Limits
		calls  string // see ends
		want   int
	}{
		"at the start":              {pace.Limits{Start: 4, Most: 8}, "", 4},
		"a start beyond the most":   {pace.Limits{Start: 9, Most: 8}, "", 8},
		"after as many calls as it": {pace.Limits{Start: 4, Most: 8}, "+++++", 5},
		"never beyond the most":     {pace.Limits{Start: 4, Most: 5}, "++++++++++++++++++", 5},
		"half after throttling":     {pace.Limits{Start: 8, Most: 8}, "-", 4},
		"half again":                {pace.Limits{Start: 8, Most: 8}, "--", 2},
		"never none":                {pace.Limits{Start: 8, Most: 8}, "------", 1},
		"up again":                  {pace.Limits{Start: 8, Most: 8}, "------+++", 2},
		"not by other faults":       {pace.Limits{Start: 4, Most: 8}, "?????????", 4},
		"not up by them either":     {pace.Limits{Start: 8, Most: 8}, "-?????????", 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(test.limits)
			for _, call := range test.calls {
				enter(t, p, "A")(ends[call])
			}
			if got := free(t, p, "A"); got != test.want {
				t.Errorf("%s: %d calls, want %d", name, got, test.want)
			}
			if got, want := free(t, p, "B"), min(test.limits.Start, test.limits.Most); got != want {
				t.Errorf("%s: %d calls of another operation, want %d", name, got, want)
			}
		})
	}
}

// Calls that were under way together met one limit.
func TestCallsThatAreThrottledTogetherCountOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Limits{Start: 8, Most: 8})
		var leaves []func(pace.End)
		for range 8 {
			leaves = append(leaves, enter(t, p, "A"))
		}
		for _, leave := range leaves {
			leave(pace.Throttled)
		}
		if got := free(t, p, "A"); got != 4 {
			t.Errorf("%d calls, want 4", got)
		}
	})
}

func TestCallsBeginInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Limits{Start: 1, Most: 1})
		leave := enter(t, p, "A")
		var order []int
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				next := enter(t, p, "A")
				order = append(order, i) // one at a time
				next(pace.Carried)
			})
			synctest.Wait()
		}
		leave(pace.Carried)
		wg.Wait()
		for i := range order {
			if order[i] != i {
				t.Fatalf("served in the order %v", order)
			}
		}
	})
}

// A cancelled call does not block the calls behind it.
func TestACancelledCallLosesItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Limits{Start: 1, Most: 1})
		leave := enter(t, p, "A")
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := p.Enter(ctx, "A"); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		leave(pace.Carried)
		enter(t, p, "A")(pace.Carried)
	})
}

// Under load no more calls are under way than the limit, and all come to pass.
func TestManyCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Limits{Start: 4, Most: 10})
		var mu sync.Mutex
		under, most, done := 0, 0, 0
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				leave := enter(t, p, "A")
				mu.Lock()
				under++
				most = max(most, under)
				mu.Unlock()
				time.Sleep(time.Millisecond) // not real time
				mu.Lock()
				under--
				done++
				mu.Unlock()
				leave(ends[rune("-+"[min(i%100, 1)])])
			})
		}
		wg.Wait()
		if done != 1000 || most > 10 || most < 5 {
			t.Errorf("%d calls, at most %d at a time", done, most)
		}
	})
}

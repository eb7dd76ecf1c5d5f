package cleaner_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const deletions = `{"policies": [{"policy": ` + expireOld + `}], ` + unprotected + `, "limits": {"maxDeletions": %d}}`

// randomRegistry is the same for the same seed.
func randomRegistry(seed uint64) *fakeRegistry {
	random := rand.New(rand.NewPCG(seed, 1))
	w := newFakeRegistry()
	for i := range 1 + random.IntN(20) {
		images := numbered(random.IntN(250), day)
		for j := range images[:len(images)/2] {
			images[j].PushedAt = image("", 9*day).PushedAt
		}
		w.Add(fmt.Sprintf("app-%d", i), images...)
	}
	return w
}

// stopAt makes the run stop at its call with the number.
func stopAt(r *cleaner.Runner, w *fakeRegistry, call int64) {
	stop, calls := make(chan struct{}), new(atomic.Int64)
	count := func() {
		if calls.Add(1) == call {
			close(stop)
		}
	}
	r.Stop, r.Registry = stop, w.Reader().BeforeImages(func(string) { count() })
	r.Remover = w.Remover().BeforeDescribe(func(string) { count() }).BeforeDelete(func(string, []string) { count() })
}

func TestRunsThatContinueDoTogetherWhatOneRunDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 2))
		for _, most := range []int{100_000, random.IntN(500)} {
			whole := randomRegistry(seed)
			one := newRunner(t, whole, fmt.Sprintf(deletions, most))
			one.Continue = &config.Continuation{}
			want := run(t, &one)

			w, next, sum, rounds := randomRegistry(seed), &config.Continuation{}, report.Totals{}, 0
			for next != nil {
				r := newRunner(t, w, fmt.Sprintf(deletions, most))
				r.Continue, r.Workers = next, 1+random.IntN(8)
				stopAt(&r, w, 1+random.Int64N(30))
				got := run(t, &r)
				sum.AddRound(got.Totals)
				if undone := got.Undone(); got.Incomplete != (got.Continuation != nil) || len(undone) > 1 || undone["not reached"] != got.NotReached {
					t.Fatalf("seed %d: incomplete %t, undone %v", seed, got.Incomplete, undone)
				}
				if next = got.Continuation; next != nil && (len(next.Done) > 500 || next.Left[0] != most-sum.Deleted) {
					t.Fatalf("seed %d: %+v after %d deletions of %d", seed, next, sum.Deleted, most)
				}
				if rounds++; rounds > 2000 {
					t.Fatalf("seed %d: no end", seed)
				}
			}
			if most < 100_000 { // a repository that a limit skips may be another one
				if sum.Deleted > most || sum.Repositories != want.Totals.Repositories {
					t.Errorf("seed %d: %+v of %d", seed, sum, most)
				}
				continue
			}
			awstest.Equal(t, fmt.Sprintf("seed %d: totals", seed), want.Totals, sum)
			awstest.Equal(t, fmt.Sprintf("seed %d: images", seed), whole.Images, w.Images)
		}
	}
}

func TestAContinuationThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	good := config.Continuation{Round: 2, First: "00c0ffee00c0ffee", Cursor: "00c0ffee00c0ffee", Left: []int{9}, Configuration: "h"}
	for want, change := range map[string]func(*config.Continuation){
		"configuration has changed": func(c *config.Continuation) { c.Configuration = "other" },
		"left has 2 numbers":        func(c *config.Continuation) { c.Left = []int{1, 2} },
		"negative":                  func(c *config.Continuation) { c.Left = []int{-1} },
		`"x" is no position`:        func(c *config.Continuation) { c.Cursor = "x" },
	} {
		w, c := newFakeRegistry(image("a", 9*day)), good
		change(&c)
		r := newRunner(t, w, expireAll)
		r.Continue, r.ConfigurationHash = &c, "h"
		_, err := r.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "start a new execution") || len(w.Calls) > 0 {
			t.Errorf("%s: %v, calls %v", want, err, w.Calls)
		}
	}
}

func TestARunRefusesARegistryOfAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day))
	r := newRunner(t, w, expireAll)
	r.Account = "999999999999"
	_, err := r.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "must be of account 999999999999, and these credentials are for account") || len(w.Calls) > 0 {
		t.Errorf("%v, calls %v", err, w.Calls)
	}
}

// Repositories are created and deleted between the runs, and some runs are killed: their
// report is lost, and the next run begins where the killed one did.
func TestRunsContinueInARegistryThatChanges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 3))
		w, next, handled := randomRegistry(seed), &config.Continuation{}, map[string]int{}
		stay := slices.Clone(w.Names[1:])
		kills, most := 3, 200+random.IntN(2000)
		allowed, deleted := most, 0
		for rounds := 0; next != nil; rounds++ {
			r := newRunner(t, w, fmt.Sprintf(deletions, most))
			r.Continue, r.Workers = next, 1+random.IntN(8)
			stopAt(&r, w, 1+random.Int64N(30))
			killed := kills > 0 && random.IntN(4) == 0
			ctx, kill := context.WithCancel(t.Context())
			if stop := r.Stop; killed {
				go func() { // in the middle of a call
					select {
					case <-stop:
						kill()
					case <-ctx.Done():
					}
				}()
			}
			got, err := r.Run(ctx)
			kill()
			awstest.NoError(t, err)
			deleted += got.Totals.Deleted
			if killed {
				kills--
				allowed += got.Totals.Deleted // of the round that is repeated
				continue
			}
			for _, repository := range got.Repositories {
				if !repository.Partial {
					handled[repository.Name]++
				}
			}
			if next = got.Continuation; rounds > 2000 {
				t.Fatalf("seed %d: no end", seed)
			}
			if rounds%2 == 0 {
				w.Add(fmt.Sprintf("new-%d", rounds), image("n", 9*day))
				w.Names = slices.DeleteFunc(w.Names, func(name string) bool { return !slices.Contains(stay, name) && random.IntN(2) == 0 })
			}
			if rounds > 500 {
				w.Names = stay
			}
		}
		for _, name := range stay {
			if handled[name] != 1 {
				t.Errorf("seed %d: %s is handled %d times", seed, name, handled[name])
			}
		}
		if deleted > allowed {
			t.Errorf("seed %d: %d deleted, %d are allowed", seed, deleted, allowed)
		}
	}
}

package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

const maxAhead = 5 * time.Minute // how far the time of a scan may be ahead of the clock

// NewBarrier compares the outcome objects, by the place in their names, with the places that
// were to be asked. An object that is not in used is missing.
func NewBarrier(t Targets, cycle int, used map[config.Place]Used, now time.Time, maxAge time.Duration) Barrier {
	b := Barrier{Execution: t.Execution, Cycle: cycle, At: now, Oldest: now, Organization: t.Organization, Accounts: []string{}, Failed: []FailedPlace{}, Users: map[string][]config.Place{}}
	listed, known := map[string]bool{}, map[Use]bool{} // a user in another Region adds nothing
	for _, p := range t.Places {
		u, found := used[p]
		for _, use := range u.Elsewhere {
			use.Account = p.Account
			key := Use{Image: use.Image, Account: use.Account, AllImages: use.AllImages}
			if !known[key] {
				b.Elsewhere = append(b.Elsewhere, use)
			}
			known[key] = true
		}
		for _, registry := range u.Registries {
			b.Users[registry.String()] = append(b.Users[registry.String()], p)
		}
		problem := u.problem(p, now, maxAge)
		if !found {
			problem = "there is no list: its run did not end; look at the run of the place in the first map"
		}
		before, known := listed[p.Account]
		listed[p.Account] = problem == "" && (before || !known)
		if problem != "" {
			b.Failed = append(b.Failed, FailedPlace{p, problem})
		} else if u.At.Before(b.Oldest) {
			b.Oldest = u.At
		}
	}
	for _, account := range slices.Sorted(maps.Keys(listed)) {
		if listed[account] {
			b.Accounts = append(b.Accounts, account)
		}
	}
	return b
}

// problem says why the list of the place does not count, or is empty.
func (u Used) problem(p config.Place, now time.Time, maxAge time.Duration) string {
	switch {
	case u.Problem != "":
		return u.Problem
	case u.Place != p:
		return fmt.Sprintf("its list is of %s; start a new execution", u.Place)
	case now.Sub(u.At) > maxAge:
		return fmt.Sprintf("its list is more than %s old; start a new execution, or raise fleet.listsMaxAgeMinutes", maxAge)
	case u.At.Sub(now) > maxAhead:
		return "its list is from the future: " + u.At.Format(time.RFC3339) + "; start a new execution"
	}
	return ""
}

// WriteUsed replaces the outcome object of a place.
func WriteUsed(ctx context.Context, s Store, u Used) error {
	return writeObject(ctx, s, placeName(u.Execution, u.Cycle, u.Place), u)
}

// WriteBarrier writes the barrier of a cycle.
func WriteBarrier(ctx context.Context, s Store, b Barrier) error {
	return writeObject(ctx, s, barrierName(b.Execution, b.Cycle), b)
}

// ReadUsed reads the outcome objects of all places for [NewBarrier]. One that cannot be read
// has a problem. The error is that of the listing.
func ReadUsed(ctx context.Context, s Store, t Targets, cycle int) (map[config.Place]Used, error) {
	names, err := s.List(ctx, listsPrefix(t.Execution, cycle)+"places/")
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	used := map[config.Place]Used{}
	each(len(t.Places), func(i int) {
		p := t.Places[i]
		name := placeName(t.Execution, cycle, p)
		if _, there := slices.BinarySearch(names, name); !there {
			return
		}
		u, err := readObject[Used](ctx, s, name)
		switch {
		case errors.Is(err, ErrMissing):
			return
		case err != nil:
			u.Problem = Shorten("its list was not read: "+err.Error(), MaxMessage)
		case u.Execution != t.Execution || u.Cycle != cycle:
			u.Problem = fmt.Sprintf("its list is of cycle %d of execution %q; start a new execution", u.Cycle, u.Execution)
		}
		mu.Lock()
		defer mu.Unlock()
		used[p] = u
	})
	return used, ctx.Err()
}

// ReadBarrier reads the barrier of a cycle.
func ReadBarrier(ctx context.Context, s Store, execution string, cycle int) (Barrier, error) {
	b, err := readObject[Barrier](ctx, s, barrierName(execution, cycle))
	if err == nil && (b.Execution != execution || b.Cycle != cycle || b.Oldest.IsZero()) {
		err = fmt.Errorf("read %s: it is of cycle %d of execution %q; start a new execution",
			s.Location(barrierName(execution, cycle)), b.Cycle, b.Execution)
	}
	return b, err
}

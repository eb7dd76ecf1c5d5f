package fleet

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

const maxAhead = 5 * time.Minute // how far the time of a scan may be ahead of the clock

// NewBarrier compares the outcome objects, by the place in their names, with the places that
// were to be asked. An object that is not in used is missing.
func NewBarrier(t Targets, cycle int, used map[config.Place]Used, now time.Time, maxAge time.Duration) Barrier {
	b := Barrier{Cycle: cycle, At: now, Oldest: now, Organization: t.Organization, Accounts: []string{}, Failed: []FailedPlace{}}
	listed := map[string]bool{}
	for _, p := range t.Places {
		u, found := used[p]
		b.Elsewhere = append(b.Elsewhere, u.Elsewhere...)
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

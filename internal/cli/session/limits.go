package session

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// MaxPlanAge is the default of --max-plan-age.
const MaxPlanAge = 24 * time.Hour

// limits returns the limits that were typed or come from a saved plan, or nil if there are none.
func (f *Flags) limits() *report.Limits {
	l := report.Limits{
		MaxDeletions:              f.maxDeletions.value,
		MaxDeletionsPerRepository: f.maxDeletionsPerRepository.value,
		MaxDeletedPercent:         f.maxDeletedPercent.value,
	}
	if l == (report.Limits{}) {
		return nil
	}
	return &l
}

// UseLimits takes the limits of a saved plan, which may be nil, for the flags that are not
// given, and says so. Call it before Open.
func (f *Flags) UseLimits(saved *report.Limits) error {
	if saved == nil {
		return nil
	}
	taken := *saved
	for _, l := range []struct {
		name  string
		flag  *limit
		taken **int
	}{
		{"maxDeletions", &f.maxDeletions, &taken.MaxDeletions},
		{"maxDeletionsPerRepository", &f.maxDeletionsPerRepository, &taken.MaxDeletionsPerRepository},
		{"maxDeletedPercent", &f.maxDeletedPercent, &taken.MaxDeletedPercent},
	} {
		switch given := l.flag.value != nil; {
		case given:
			*l.taken = nil
		case *l.taken != nil:
			if err := l.flag.Set(strconv.Itoa(**l.taken)); err != nil {
				return exit.Usagef("%s of the saved plan %w; plan again", l.name, err)
			}
		}
	}
	if flags := LimitFlags(&taken); flags != "" {
		f.Notef("the limits of the saved plan apply: %s", flags)
	}
	return nil
}

// LimitFlags returns limits, which may be nil, as flags of a command line.
func LimitFlags(l *report.Limits) string {
	if l == nil {
		return ""
	}
	var flags []string
	add := func(flag string, limit *int) {
		if limit != nil {
			flags = append(flags, fmt.Sprintf("%s %d", flag, *limit))
		}
	}
	add("--max-deletions", l.MaxDeletions)
	add("--max-deletions-per-repository", l.MaxDeletionsPerRepository)
	add("--max-deleted-percent", l.MaxDeletedPercent)
	return strings.Join(flags, " ")
}

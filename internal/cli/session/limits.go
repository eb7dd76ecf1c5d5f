package session

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// MaxPlanAge is the default of --max-plan-age.
const MaxPlanAge = 24 * time.Hour

// A limit is a flag for an integer as in a configuration: an integer flag of package pflag
// would read 010 as 8.
type limit struct {
	field, flag string
	value       **int // points to nil if the flag is not given
	most        int   // 0 for none
	usage       string
}

// flagsOf returns the flags for limits.
func flagsOf(l *report.Limits) []limit {
	return []limit{
		{"maxDeletions", "max-deletions", &l.MaxDeletions, 0, "remove at most this many images in all"},
		{
			"maxDeletionsPerRepository", "max-deletions-per-repository", &l.MaxDeletionsPerRepository, 0,
			"skip repositories in which more images would be removed",
		},
		{
			"maxDeletedPercent", "max-deleted-percent", &l.MaxDeletedPercent, 100,
			"skip repositories in which more than this percentage of the images would be removed",
		},
	}
}

func (l *limit) String() string {
	if l.value == nil || *l.value == nil { // pflag also calls it for the zero value
		return ""
	}
	return strconv.Itoa(**l.value)
}

func (*limit) Type() string { return "int" }

func (l *limit) Set(s string) error {
	number, ok := decimal.Parse(s)
	n, fits := number.Int()
	switch {
	case !ok || !fits || n < 0:
		return errors.New("must be an integer such as 100, not negative")
	case l.most > 0 && n > int64(l.most):
		return fmt.Errorf("must be at most %d", l.most)
	}
	*l.value = new(int(n))
	return nil
}

// AddLimits adds --max-deletions, --max-deletions-per-repository and --max-deleted-percent.
func (f *Flags) AddLimits(c *cobra.Command) {
	for _, l := range flagsOf(&f.limits) {
		c.Flags().Var(&l, l.flag, l.usage+"; overrides the configuration")
	}
}

// givenLimits returns the limits that were typed or come from a saved plan, or nil if there
// are none.
func (f *Flags) givenLimits() *report.Limits {
	if f.limits == (report.Limits{}) {
		return nil
	}
	return new(f.limits)
}

// UseLimits takes the limits of a saved plan, which may be nil, for the flags that are not
// given, and says so. Call it before Open.
func (f *Flags) UseLimits(saved *report.Limits) error {
	if saved == nil {
		return nil
	}
	taken := *saved
	from := flagsOf(&taken)
	for i, l := range flagsOf(&f.limits) {
		switch limit := from[i].value; {
		case *l.value != nil:
			*limit = nil
		case *limit != nil:
			if err := l.Set(strconv.Itoa(**limit)); err != nil {
				return exit.Usagef("%s of the saved plan %w; plan again", l.field, err)
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
	for _, l := range flagsOf(l) {
		if *l.value != nil {
			flags = append(flags, fmt.Sprintf("--%s %d", l.flag, **l.value))
		}
	}
	return strings.Join(flags, " ")
}

package session

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
)

// A limit is the value of a flag: an integer as in a configuration. (An integer flag of
// package pflag would read 010 as 8.) It is nil if the flag is not given.
type limit struct {
	value *int
	most  int // 0 for none
}

// String returns the value, or "".
func (l *limit) String() string {
	if l.value == nil {
		return ""
	}
	return strconv.Itoa(*l.value)
}

// Type is the word for the value in the help.
func (*limit) Type() string { return "int" }

// Set reads the value.
func (l *limit) Set(s string) error {
	number, ok := decimal.Parse(s)
	n, fits := number.Int()
	switch {
	case !ok || !fits || n < 0:
		return fmt.Errorf("must be an integer such as 100, not negative")
	case l.most > 0 && n > int64(l.most):
		return fmt.Errorf("must be at most %d", l.most)
	}
	l.value = new(int(n))
	return nil
}

// AddLimits adds the flags that override the limits of the configuration.
func (f *Flags) AddLimits(c *cobra.Command) {
	f.maxDeletedPercent.most = 100
	c.Flags().Var(&f.maxDeletions, "max-deletions",
		"remove at most this many images in all; overrides the configuration")
	c.Flags().Var(&f.maxDeletionsPerRepository, "max-deletions-per-repository",
		"skip repositories in which more images would be removed; overrides the configuration")
	c.Flags().Var(&f.maxDeletedPercent, "max-deleted-percent",
		"skip repositories in which more than this percentage of the images would be removed; overrides the configuration")
}

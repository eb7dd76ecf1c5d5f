package session

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
)

// A limit is the value of a flag, an integer as in a configuration: an integer flag of
// package pflag would read 010 as 8.
type limit struct {
	value *int // nil if the flag is not given
	most  int  // 0 for none
}

// String returns the value.
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
		return errors.New("must be an integer such as 100, not negative")
	case l.most > 0 && n > int64(l.most):
		return fmt.Errorf("must be at most %d", l.most)
	}
	l.value = new(int(n))
	return nil
}

// AddRemoval adds the flags of the commands that remove images: --log, and the limits.
func (f *Flags) AddRemoval(c *cobra.Command) {
	c.Flags().StringVar(&f.logFile, "log", "",
		"append the log to this file, for ecrclean audit FILE: each image before the call that removes it, and its outcome")
	f.maxDeletedPercent.most = 100
	c.Flags().Var(&f.maxDeletions, "max-deletions",
		"remove at most this many images in all; overrides the configuration")
	c.Flags().Var(&f.maxDeletionsPerRepository, "max-deletions-per-repository",
		"skip repositories in which more images would be removed; overrides the configuration")
	c.Flags().Var(&f.maxDeletedPercent, "max-deleted-percent",
		"skip repositories in which more than this percentage of the images would be removed; overrides the configuration")
}

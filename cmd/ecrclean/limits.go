package main

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
)

// limits are the limits that a person can give as flags.
type limits struct {
	maxDeletions, maxDeletionsPerRepository, maxDeletedPercent count
}

// A count is the value of a flag: an integer as in a configuration. An integer flag of
// package pflag would read 010 as 8.
type count int

func (c *count) String() string { return strconv.Itoa(int(*c)) }

// Type is the word for the value in the help.
func (*count) Type() string { return "int" }

// Set reads the value.
func (c *count) Set(text string) error {
	number, ok := decimal.Parse(text)
	n, fits := number.Int()
	if !ok || !fits {
		return errors.New("must be an integer such as 100")
	}
	*c = count(n)
	return nil
}

func (l *limits) flags(c *cobra.Command) {
	f := c.Flags()
	f.Var(&l.maxDeletions, "max-deletions", "remove at most this many images in all; overrides the configuration")
	f.Var(&l.maxDeletionsPerRepository, "max-deletions-per-repository", "skip repositories in which more images would be removed; overrides the configuration")
	f.Var(&l.maxDeletedPercent, "max-deleted-percent", "skip repositories in which more than this percentage of the images would be removed; overrides the configuration")
}

// check refuses limits that make no sense.
func (l *limits) check() error {
	if l.maxDeletions < 0 || l.maxDeletionsPerRepository < 0 || l.maxDeletedPercent < 0 || l.maxDeletedPercent > 100 {
		return usageError(errors.New("limits must not be negative, and --max-deleted-percent at most 100"))
	}
	return nil
}

// override replaces limits of the configuration by those that were given as flags.
func (l *limits) override(c *cobra.Command, configuration config.Config) config.Config {
	typed := func(name string, value count) *int {
		if !c.Flags().Changed(name) {
			return nil
		}
		return new(int(value))
	}
	return configuration.Override(
		typed("max-deletions", l.maxDeletions),
		typed("max-deletions-per-repository", l.maxDeletionsPerRepository),
		typed("max-deleted-percent", l.maxDeletedPercent))
}

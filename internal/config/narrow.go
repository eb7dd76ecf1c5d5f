package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// ErrPolicyInApply says that a request with a policy of its own would remove
// images.
var ErrPolicyInApply = errors.New(
	`a request with "policy" only plans: add "mode": "plan", or put the policy into the configuration to apply it`)

// Narrow returns the configuration for one run. Of each limit the smaller one
// counts; a policy of the request stands in for all policies and is refused
// with [ErrPolicyInApply] unless the run only plans. The receiver is not
// modified.
func (c Config) Narrow(r Request) (Config, error) {
	if r.Mode != "" {
		c.Mode = r.Mode
	}
	c.Repositories.Requested = r.Repositories
	c.Policies = slices.Clone(c.Policies)
	if r.Policy != nil {
		if c.Mode != Plan {
			return Config{}, ErrPolicyInApply
		}
		all := []wildcard.Pattern{wildcard.Compile("*")}
		c.Policies = []Entry{{Name: "request", Repositories: all, Source: Inline, Policy: *r.Policy, Settings: c.Settings}}
	}
	c.MaxDeletions = r.MaxDeletions
	for i := range c.Policies {
		limits := &c.Policies[i].Limits
		lower(&limits.MaxDeletionsPerRepository, r.MaxDeletionsPerRepository)
		lower(&limits.MaxDeletedPercent, r.MaxDeletedPercent)
	}
	return c, nil
}

func lower(limit, by *int) {
	if by != nil {
		*limit = min(*limit, *by)
	}
}

// Override returns the configuration with limits that a person typed: each
// that is not nil replaces the limit everywhere, be it smaller or larger. The
// receiver is not modified.
func (c Config) Override(maxDeletions, maxDeletionsPerRepository, maxDeletedPercent *int) Config {
	c.Policies = slices.Clone(c.Policies)
	for i := range c.Policies {
		e := &c.Policies[i]
		e.OwnBudget = e.OwnBudget && maxDeletions == nil
		replace(&e.Limits.MaxDeletionsPerRepository, maxDeletionsPerRepository)
		replace(&e.Limits.MaxDeletedPercent, maxDeletedPercent)
	}
	replace(&c.Limits.MaxDeletions, maxDeletions)
	replace(&c.Limits.MaxDeletionsPerRepository, maxDeletionsPerRepository)
	replace(&c.Limits.MaxDeletedPercent, maxDeletedPercent)
	return c
}

func replace(limit, by *int) {
	if by != nil {
		*limit = *by
	}
}

// Hash identifies the configuration: documents that differ only in white space,
// in the order of members or in defaults that are spelt out have the same hash.
// It is meant for the configuration itself, not for what [Config.Narrow] or
// [Config.Override] makes of it.
func (c Config) Hash() (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

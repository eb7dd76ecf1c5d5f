package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// ErrPolicyInApply says that a request with a policy has the mode apply.
var ErrPolicyInApply = errors.New(
	`a request with "policy" only plans: add "mode": "plan", or put the policy into the configuration to apply it`)

// ErrOnlyMode says that a request with the mode references asks for more.
var ErrOnlyMode = errors.New(`a request with "mode": "references" has no other field, because it reads and removes no images: take the others out`)

// Narrow returns the configuration for one run. Of two limits the smaller one applies. A
// policy of the request replaces all policies; with the mode apply Narrow returns
// [ErrPolicyInApply]. With the mode references, a request for more is [ErrOnlyMode]. Narrow
// does not modify the receiver.
func (c Config) Narrow(r Request) (Config, error) {
	if r.Mode != "" {
		c.Mode = r.Mode
	}
	more := r.Repositories != nil || r.Policy != nil || r.MaxDeletions != nil || r.MaxDeletionsPerRepository != nil || r.MaxDeletedPercent != nil
	if c.Mode == References && more {
		return Config{}, ErrOnlyMode
	}
	c.Repositories.Requested = r.Repositories
	c.Policies = slices.Clone(c.Policies)
	if r.Policy != nil {
		if c.Mode != Plan {
			return Config{}, ErrPolicyInApply
		}
		c = c.WithPolicy("request", *r.Policy)
	}
	c.MaxDeletions = r.MaxDeletions
	for i := range c.Policies {
		limits := &c.Policies[i].Limits
		lower(&limits.MaxDeletionsPerRepository, r.MaxDeletionsPerRepository)
		lower(&limits.MaxDeletedPercent, r.MaxDeletedPercent)
	}
	return c, nil
}

// WithPolicy returns the configuration with one entry of the given name, which has the policy
// for every repository, instead of all entries.
func (c Config) WithPolicy(name string, policy lifecycle.Policy) Config {
	all := []wildcard.Pattern{wildcard.Compile("*")}
	c.Policies = []Entry{{Name: name, Repositories: all, Source: Inline, Policy: policy, Settings: c.Settings}}
	return c
}

func lower(limit, by *int) {
	if by != nil {
		*limit = min(*limit, *by)
	}
}

// Override returns the configuration with other limits: each that is not nil replaces the
// limit everywhere, smaller or larger. Override does not modify the receiver.
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

// The protections that a person may override for one run, as reports name them.
const (
	TagPatterns       = "tagPatterns"
	KeepNewest        = "keepNewest"
	PulledWithinDays  = "pulledWithinDays"
	PushedWithinHours = "pushedWithinHours"
	Orphan            = "orphan"
)

// Unprotect returns the configuration without the protections, for all repositories. It does
// not modify the receiver.
func (c Config) Unprotect(protections []string) Config {
	c.Policies = slices.Clone(c.Policies)
	all := []*Settings{&c.Settings}
	for i := range c.Policies {
		all = append(all, &c.Policies[i].Settings)
	}
	for _, s := range all {
		for _, protection := range protections {
			switch protection {
			case TagPatterns:
				s.Protect.TagPatterns = nil
			case KeepNewest:
				s.Protect.KeepNewest = 0
			case PulledWithinDays:
				s.Protect.PulledWithinDays = 0
			case PushedWithinHours:
				s.Protect.PushedWithinHours = 0
			case Orphan:
				s.Orphans = DeleteOrphans
			}
		}
	}
	return c
}

func replace(limit, by *int) {
	if by != nil {
		*limit = *by
	}
}

// Hash identifies the configuration, without regard to the form of its document. Call it
// before [Config.Narrow] and [Config.Override].
func (c Config) Hash() (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

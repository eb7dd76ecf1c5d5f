package config

import (
	"bytes"
	"encoding/json"

	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// The printed form of a configuration; what is nil is left out.
type (
	printedConfig struct {
		Mode         *Mode          `json:"mode,omitempty"`
		Repositories *Repositories  `json:"repositories,omitempty"`
		Policies     []printedEntry `json:"policies"`
		printedSettings
		Report *Report `json:"report,omitempty"`
	}
	printedEntry struct {
		Name           string             `json:"name"`
		Repositories   []wildcard.Pattern `json:"repositories"`
		RepositoryTags map[string]string  `json:"repositoryTags,omitempty"`
		Policy         any                `json:"policy"`
		printedSettings
	}
	printedSettings struct {
		Protect  *Protect       `json:"protect,omitempty"`
		Orphans  *Orphans       `json:"orphans,omitempty"`
		OnExpire *OnExpire      `json:"onExpire,omitempty"`
		Limits   *printedLimits `json:"limits,omitempty"`
	}
	printedLimits struct {
		MaxDeletions              *int `json:"maxDeletions,omitempty"`
		MaxDeletionsPerRepository *int `json:"maxDeletionsPerRepository,omitempty"`
		MaxDeletedPercent         *int `json:"maxDeletedPercent,omitempty"`
	}
)

// Document prints a document from which [Parse] reads an equal configuration.
// Apart from the policies, what is as it is by default is left out; so is the
// narrowing to one run.
func (c Config) Document() ([]byte, error) {
	usual := Default()
	printed := printedConfig{
		Mode:            unless(c.Mode, usual.Mode),
		Repositories:    unless(c.Repositories, usual.Repositories),
		Policies:        make([]printedEntry, len(c.Policies)),
		printedSettings: c.Settings.printed(usual.Settings, c.Limits.MaxDeletions != usual.Limits.MaxDeletions),
		Report:          unless(c.Report, usual.Report),
	}
	general := c.Settings
	general.Protect.RegistryAliases = nil
	for i, e := range c.Policies {
		own := e.Settings
		own.Protect.RegistryAliases = nil // an entry always has the general aliases
		printed.Policies[i] = printedEntry{e.Name, e.Repositories, e.RepositoryTags, e.printedPolicy(), own.printed(general, e.OwnBudget)}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(printed)
	return b.Bytes(), err
}

func (e *Entry) printedPolicy() any {
	if e.Source == Inline {
		return e.Policy
	}
	return e.Source
}

// printed leaves out what is as usual, and maxDeletions unless the budget is
// their own.
func (s Settings) printed(usual Settings, ownBudget bool) printedSettings {
	// an empty list is one, and null is none
	s.Protect.InUse = append([]string{}, s.Protect.InUse...)
	s.Protect.References = append([]string{}, s.Protect.References...)
	limits := printedLimits{
		MaxDeletionsPerRepository: unless(s.Limits.MaxDeletionsPerRepository, usual.Limits.MaxDeletionsPerRepository),
		MaxDeletedPercent:         unless(s.Limits.MaxDeletedPercent, usual.Limits.MaxDeletedPercent),
	}
	if ownBudget {
		limits.MaxDeletions = &s.Limits.MaxDeletions
	}
	return printedSettings{
		Protect:  unless(s.Protect, usual.Protect),
		Orphans:  unless(s.Orphans, usual.Orphans),
		OnExpire: unless(s.OnExpire, usual.OnExpire),
		Limits:   unless(limits, printedLimits{}),
	}
}

// unless returns nil for a value that prints as the usual one.
func unless[T any](v, usual T) *T {
	a, aErr := json.Marshal(v)
	b, bErr := json.Marshal(usual)
	if aErr == nil && bErr == nil && bytes.Equal(a, b) {
		return nil
	}
	return &v
}

package config

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// The JSON form of a configuration without the fields that have their default.
type (
	printedConfig struct {
		Mode         *Mode          `json:"mode,omitempty"`
		Repositories *Repositories  `json:"repositories,omitempty"`
		Policies     []printedEntry `json:"policies"`
		printedSettings
		Report     *Report         `json:"report,omitempty"`
		References *ListTarget     `json:"references,omitempty"`
		Targets    []printedTarget `json:"targets,omitempty"`
		Fleet      *Fleet          `json:"fleet,omitempty"`
		Price      *float64        `json:"price,omitempty"`
	}
	printedTarget struct {
		Account      string        `json:"account,omitempty"`
		Organization *Organization `json:"organization,omitempty"`
		Regions      []string      `json:"regions"`
		Access
		Repositories *Repositories   `json:"repositories,omitempty"`
		Policies     *[]printedEntry `json:"policies,omitempty"`
		printedSettings
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

// Document prints a document from which [Parse] reads an equal configuration. It omits
// defaults, except of policies, and the narrowing to one run.
func (c Config) Document() ([]byte, error) {
	defaults := Default()
	printed := printedConfig{
		Mode:            unless(c.Mode, defaults.Mode),
		Repositories:    unless(c.Repositories, defaults.Repositories),
		Policies:        c.printedEntries(),
		printedSettings: c.Settings.printed(defaults.Settings, c.Limits.MaxDeletions != defaults.Limits.MaxDeletions),
		Report:          unless(c.Report, defaults.Report),
		References:      unless(c.References, defaults.References),
		Fleet:           unless(c.Fleet, defaults.Fleet),
		Price:           c.Price,
	}
	for _, t := range c.Targets {
		printed.Targets = append(printed.Targets, t.printed(c))
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(printed)
	return b.Bytes(), err
}

func (c Config) printedEntries() []printedEntry {
	entries := make([]printedEntry, len(c.Policies))
	general := c.Settings.ofPart()
	for i, e := range c.Policies {
		var policy any = e.Source
		if e.Source == Inline {
			policy = e.Policy
		}
		entries[i] = printedEntry{e.Name, e.Repositories, e.RepositoryTags, policy, e.Settings.ofPart().printed(general, e.OwnBudget)}
	}
	return entries
}

// printed omits what is as in the general configuration.
func (t Target) printed(general Config) printedTarget {
	settings, defaults := t.Config.Settings.ofPart(), general.Settings.ofPart()
	printed := printedTarget{
		Account: t.Account, Organization: t.Organization, Regions: t.Regions, Access: t.Access,
		Repositories:    unless(t.Config.Repositories, general.Repositories),
		printedSettings: settings.printed(defaults, settings.Limits.MaxDeletions != defaults.Limits.MaxDeletions),
	}
	if unless(settings, defaults) != nil || unless(t.Config.Policies, general.Policies) != nil {
		printed.Policies = new(t.Config.printedEntries())
	}
	return printed
}

// ofPart returns the settings without those that a part always takes from the general ones.
func (s Settings) ofPart() Settings {
	s.Protect.RegistryAliases, s.Protect.Kubeconfig = nil, nil
	return s
}

// printed omits the settings that are equal to the defaults; ownBudget is for maxDeletions.
func (s Settings) printed(defaults Settings, ownBudget bool) printedSettings {
	// Parse does not accept null for an empty list.
	s.Protect.InUse = append([]string{}, s.Protect.InUse...)
	s.Protect.References = append([]string{}, s.Protect.References...)
	limits := printedLimits{
		MaxDeletionsPerRepository: unless(s.Limits.MaxDeletionsPerRepository, defaults.Limits.MaxDeletionsPerRepository),
		MaxDeletedPercent:         unless(s.Limits.MaxDeletedPercent, defaults.Limits.MaxDeletedPercent),
	}
	if ownBudget {
		limits.MaxDeletions = &s.Limits.MaxDeletions
	}
	protect := unless(s.Protect, defaults.Protect)
	if protect != nil {
		// Beside an empty inUse or references, Parse accepts these only if they are inherited.
		protect.Regions = unlessSame(protect.Regions, defaults.Protect.Regions)
		protect.Expect = unlessSame(protect.Expect, defaults.Protect.Expect)
	}
	return printedSettings{
		Protect:  protect,
		Orphans:  unless(s.Orphans, defaults.Orphans),
		OnExpire: unless(s.OnExpire, defaults.OnExpire),
		Limits:   unless(limits, printedLimits{}),
	}
}

// unlessSame returns nil if both lists are the same.
func unlessSame(list, defaults []string) []string {
	if slices.Equal(list, defaults) && (list == nil) == (defaults == nil) {
		return nil
	}
	return list
}

// unless returns nil if the value has the same JSON form as the default.
func unless[T any](v, defaultValue T) *T {
	a, aErr := json.Marshal(v)
	b, bErr := json.Marshal(defaultValue)
	if aErr == nil && bErr == nil && bytes.Equal(a, b) {
		return nil
	}
	return &v
}

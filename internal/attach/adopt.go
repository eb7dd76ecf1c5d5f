package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// An Adoption is a configuration that holds policies which ECR holds.
type Adoption struct {
	// Config is the configuration of the run with an entry in front for each of
	// the adopted policies.
	Config config.Config
	// Entries is the number of these entries.
	Entries int
	// Plan is to detach the adopted policies, which have the change Detach. The
	// other repositories are as they were.
	Plan Plan
}

// Adopt reads the attached policies of the repositories that the configuration leaves
// to their attached policy, or for which it has no entry. A repository whose entry has
// another policy keeps that. The error is as that of Attach.
func (p Planner) Adopt(ctx context.Context) (Adoption, error) {
	plan, err := p.plan(ctx, leave, false)
	if err != nil {
		return Adoption{}, err
	}
	a := Adoption{Config: p.Runner.Config, Plan: plan}
	b := book{places: map[string]int{}, names: map[string]bool{}}
	for _, e := range p.Runner.Config.Policies {
		b.names[e.Name] = true
	}
	for i := range a.Plan.Repositories {
		r := &a.Plan.Repositories[i]
		switch {
		case r.Change == Detach && r.Before.Fault != "":
			r.Change, r.Message = Refused, "the attached policy cannot be read and stays attached: "+r.Before.Fault
		case r.Change == Detach:
			r.Entry = b.enter(r, p.entry(r))
		}
	}
	a.Entries = len(b.entries)
	a.Config.Policies = slices.Concat(b.entries, p.Runner.Config.Policies)
	return a, nil
}

// leave leaves alone what the configuration does not leave to the attached
// policy.
func leave(r *Repository) {
	e := r.decides
	switch {
	case strings.Contains(r.Name, "*"):
		r.Change, r.Message = Refused, "its name would be a pattern for others"
	case e == nil || e.Source == config.Attached:
	default:
		r.Change, r.Message = LeftAlone, fmt.Sprintf("policy %q decides about it, not the attached one", e.Name)
	}
}

// entry returns an entry with the settings of the repository.
func (p Planner) entry(r *Repository) config.Entry {
	e := config.Entry{Source: config.Inline, Settings: p.settings(r)}
	if r.decides != nil {
		e.OwnBudget = r.decides.OwnBudget
	}
	return e
}

// A book gathers entries: one for each policy with the same settings.
type book struct {
	entries []config.Entry
	places  map[string]int // in entries, by what they hold
	names   map[string]bool
}

// enter puts the attached policy of the repository into the entry that holds
// it, which is made of e if there is none, and returns the entry's name.
func (b *book) enter(r *Repository, e config.Entry) string {
	settings, _ := json.Marshal(e) // every entry has a text
	key := canonical(r.Before.Policy) + string(settings)
	place, known := b.places[key]
	if !known {
		place = len(b.entries)
		b.places[key] = place
		e.Name, e.Policy = b.name(r), r.Before.Policy
		b.entries = append(b.entries, e)
	}
	entry := &b.entries[place]
	entry.Repositories = append(entry.Repositories, wildcard.Compile(r.Name))
	return entry.Name
}

// name returns a new name that says what the attached policy does.
func (b *book) name(r *Repository) string {
	const most = 3
	var parts []string
	rules := sorted(r.Before.Policy)
	for i, rule := range rules {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(rules)-most))
			break
		}
		parts = append(parts, meaning(rule))
	}
	stem := strings.Join(parts, ", ")
	name := stem
	for i := 2; b.names[name]; i++ {
		name = fmt.Sprintf("%s (%d)", stem, i)
	}
	b.names[name] = true
	return name
}

// Document prints the configuration. An error means that it would not be read
// as it is meant, for instance because it is too long.
func (a *Adoption) Document() ([]byte, error) {
	document, err := a.Config.Document()
	if err != nil {
		return nil, err
	}
	read, problems := config.Parse(document)
	if err := problems.Err(); err != nil {
		return nil, fmt.Errorf("the adopted configuration is not valid: %w; adopt fewer repositories", err)
	}
	again, err := read.Document()
	if err != nil || !bytes.Equal(document, again) {
		return nil, errors.Join(errors.New("the adopted configuration is not read as it is written"), err)
	}
	return document, nil
}

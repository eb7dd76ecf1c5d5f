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
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// An Adoption is a configuration with policies that are attached to repositories.
type Adoption struct {
	Config  config.Config // that of the runner, with Entries new entries at the beginning
	Entries int
	Plan    Plan // detaches the adopted policies, which have the change Detach
}

// Adopt adopts the policies of repositories that no entry of the configuration selects, or
// an entry with the policy "attached". The error is as that of [Planner.Attach].
func (p Planner) Adopt(ctx context.Context) (Adoption, error) {
	plan, err := p.plan(ctx, refuseStar, false)
	if err != nil {
		return Adoption{}, err
	}
	a := Adoption{Config: p.Runner.Config, Plan: plan}
	names := map[string]bool{}
	for _, e := range p.Runner.Config.Policies {
		names[e.Name] = true
	}
	var entries []config.Entry
	places := map[string]int{} // in entries, by policy and settings
	for i := range a.Plan.Repositories {
		r := &a.Plan.Repositories[i]
		if r.Change != Detach {
			continue
		}
		if other := configuredOtherwise(r.decides); other != "" {
			r.Change, r.Message = LeftAlone, other
			continue
		}
		if r.Before.Fault != "" {
			r.Change, r.Message = Refused, "the attached policy cannot be read and is kept: "+r.Before.Fault
			continue
		}
		e := config.Entry{Source: config.Inline, Settings: p.settings(r)}
		if r.decides != nil {
			e.OwnBudget = r.decides.OwnBudget
		}
		settings, _ := json.Marshal(e) // every entry has a text
		key := canonical(r.Before.Policy) + string(settings)
		place, known := places[key]
		if !known {
			place = len(entries)
			places[key] = place
			e.Name, e.Policy = newName(r.Before.Policy, names), r.Before.Policy
			entries = append(entries, e)
		}
		entries[place].Repositories = append(entries[place].Repositories, wildcard.Compile(r.Name))
		r.Entry = entries[place].Name
	}
	a.Entries = len(entries)
	a.Config.Policies = slices.Concat(entries, p.Runner.Config.Policies)
	return a, nil
}

// refuseStar refuses a repository that Adopt cannot name in a configuration.
func refuseStar(r *Repository) {
	if strings.Contains(r.Name, "*") {
		r.Change, r.Message = Refused, "its name would be a pattern in the configuration; leave the policy attached"
	}
}

// configuredOtherwise says that the configuration has another policy, or "none". It returns
// "" if the attached policy can be adopted.
func configuredOtherwise(e *config.Entry) string {
	switch {
	case e == nil || e.Source == config.Attached:
		return ""
	case e.Source == config.None:
		return fmt.Sprintf("policy %q of the configuration skips it, but ECR applies its attached policy", e.Name)
	}
	return fmt.Sprintf("policy %q of the configuration applies to it, and ECR applies its attached policy, too", e.Name)
}

// Kept returns the repositories that keep an attached policy because the configuration has
// another one for them.
func (a *Adoption) Kept() []string {
	var kept []string
	for _, r := range a.Plan.Repositories {
		if r.Change == LeftAlone && r.Before.Text != "" {
			kept = append(kept, r.Name)
		}
	}
	return kept
}

// newName describes the rules of a policy. It adds the name to those that are in use.
func newName(policy lifecycle.Policy, inUse map[string]bool) string {
	const most = 3
	var parts []string
	rules := sorted(policy)
	for _, rule := range rules[:min(len(rules), most)] {
		parts = append(parts, meaning(rule))
	}
	if more := len(rules) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	stem := strings.Join(parts, ", ")
	name := stem
	for i := 2; inUse[name]; i++ {
		name = fmt.Sprintf("%s (%d)", stem, i)
	}
	inUse[name] = true
	return name
}

// Document returns the configuration as JSON, or an error if it cannot be read back.
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
		return nil, errors.Join(errors.New("the adopted configuration changes when it is read back; report this as a bug"), err)
	}
	return document, nil
}

// Missing returns "" if the configuration gives each adopted repository its attached policy,
// or else names the first other repository. It does not compare settings.
func (p Planner) Missing(ctx context.Context, a *Adoption, from *config.Config) string {
	for _, r := range a.Plan.Repositories {
		if r.Change != Detach {
			continue
		}
		e, err := plan.EntryFor(ctx, p.Runner.Registry, from, r.listed)
		switch {
		case err != nil:
			return fmt.Sprintf("the policy that it gives %s is unknown: %s", r.Name, err)
		case e == nil || e.Source != config.Inline || !from.Repositories.Select(r.Name),
			canonical(e.Policy) != canonical(r.Before.Policy):
			return fmt.Sprintf("it does not give %s the attached policy", r.Name)
		}
	}
	return ""
}

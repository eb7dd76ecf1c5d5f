package attach

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A Planner plans changes of attached policies. It does not use the runner's Remover.
type Planner struct{ Runner *cleaner.Runner }

// Attach plans to attach the document to every repository that the configuration selects.
// If the document is nil, it plans to attach the inline policy of each repository's entry.
// The error is a [*selected.Error], or that of listing the registry.
func (p Planner) Attach(ctx context.Context, document *Document) (Plan, error) {
	plan, err := p.plan(ctx, func(r *Repository) { r.configure(document) }, true)
	for i := range plan.Repositories {
		if document != nil {
			plan.Repositories[i].noteConfigured()
		}
	}
	return plan, err
}

// noteConfigured adds a finding if the configuration has another policy for the repository.
func (r *Repository) noteConfigured() {
	if e := r.decides; r.Change.Changes() && e != nil && e.Source != config.Attached {
		message := fmt.Sprintf("the configuration also applies policy %q to it; ECR would apply the attached policy without protection; "+
			"leave it out of --repositories if you do not want both", e.Name)
		if e.Source == config.None {
			message = fmt.Sprintf("policy %q of the configuration skips it; ECR would apply the attached policy; "+
				"leave it out of --repositories if you do not want this", e.Name)
		}
		r.Foresight.Findings = append(r.Foresight.Findings, finding.Finding{Kind: finding.ConfiguredOtherwise, Repository: r.Name, Message: message})
	}
}

// Detach plans to detach the policy of every selected repository. See Attach for the error.
func (p Planner) Detach(ctx context.Context) (Plan, error) {
	return p.plan(ctx, func(*Repository) {}, false)
}

// plan lists the repositories, calls prepare for each, and sets the change of those
// without one. If foresee is true, it also sets their Foresight.
func (p Planner) plan(ctx context.Context, prepare func(*Repository), foresee bool) (Plan, error) {
	made, err := p.list(ctx)
	if err := p.Runner.Begin(err); err != nil {
		return made, err
	}
	planner := p.Runner.PlannerOf(made.Account)
	each(p.Runner, made.Repositories, func(r *Repository) {
		var err error
		r.decides, err = plan.EntryFor(ctx, p.Runner.Registry, &p.Runner.Config, r.listed)
		if err == nil {
			prepare(r)
			if r.Change != "" {
				return
			}
			if r.Before, err = attached(ctx, p.Runner.Registry, r.Name); err == nil {
				r.Change = changeOf(r.Before, r.After)
			}
		}
		if err == nil && r.Change.Changes() && foresee {
			r.Foresight, err = planner.Forecast(ctx, r.Name, r.After.Policy, p.settings(r).Protect)
		}
		switch {
		case errors.Is(err, plan.ErrRepositoryNotFound):
			r.Change, r.Message = LeftAlone, "deleted while the plan was made"
		case err != nil:
			r.Change, r.Message = Unread, err.Error()
		}
	})
	return made, nil
}

func (p Planner) list(ctx context.Context) (Plan, error) {
	var made Plan
	selection := selected.New(p.Runner.Config.Repositories)
	for repository, err := range plan.Listed(ctx, p.Runner.Registry, selection) {
		if err != nil {
			return made, err
		}
		made.Account = repository.RegistryID
		if selection.Select(repository.Name) {
			made.Repositories = append(made.Repositories, Repository{Name: repository.Name, listed: repository})
		}
	}
	return made, selection.Err()
}

// configure sets the policy to attach: the document or, if that is nil, the policy of the
// repository's entry. If there is no valid policy, it sets the change.
func (r *Repository) configure(document *Document) {
	e := r.decides
	switch {
	case document != nil:
		r.After = *document
		r.Message = r.After.Fault
	case e == nil:
		r.Message = "no entry of the configuration selects it"
	case e.Source != config.Inline:
		r.Entry, r.Message = e.Name, fmt.Sprintf("policy %q is %q, which is nothing to attach", e.Name, e.Source)
	default:
		text, _ := e.Policy.MarshalJSON() // every policy has a text
		r.After, r.Entry = Read(string(text)), e.Name
		if r.After.Fault != "" {
			r.Message = fmt.Sprintf("ECR does not accept policy %q: %s", e.Name, r.After.Fault)
		}
	}
	switch {
	case r.After.Text == "":
		r.Change = LeftAlone
	case r.After.Fault != "":
		r.Change = Refused
	}
}

func (p Planner) settings(r *Repository) config.Settings {
	if r.decides != nil {
		return r.decides.Settings
	}
	return p.Runner.Config.Settings
}

func changeOf(before, after Document) Change {
	switch {
	case before.Same(after):
		return Unchanged
	case before.Text == "":
		return Attach
	case after.Text == "":
		return Detach
	}
	return Replace
}

func attached(ctx context.Context, registry plan.Registry, name string) (Document, error) {
	text, err := registry.PolicyText(ctx, name)
	if errors.Is(err, plan.ErrNoPolicy) {
		return Document{}, nil
	}
	if err != nil {
		return Document{}, err
	}
	return Read(text), nil
}

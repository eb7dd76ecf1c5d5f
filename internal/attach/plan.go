package attach

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// A Planner plans what changes. The fields are its world.
type Planner struct {
	// Runner is how a plan of the registry would be run; its Remover plays no
	// part.
	Runner *cleaner.Runner
}

// Attach plans to attach the document to every repository that the
// configuration selects or, when it is nil, to each the inline policy of its
// entry. The error says that the registry could not be listed, or it is a
// [*config.SelectionError].
func (p Planner) Attach(ctx context.Context, document *Document) (Plan, error) {
	plan, err := p.plan(ctx, func(r *Repository) {
		r.After, r.Entry, r.Message = configured(r, document)
		switch {
		case r.After.Text == "":
			r.Change = LeftAlone
		case r.After.Fault != "":
			r.Change, r.Message = Refused, r.After.Fault
		}
	}, true)
	for i := range plan.Repositories {
		if document != nil {
			plan.Repositories[i].noteConfigured()
		}
	}
	return plan, err
}

// noteConfigured notes where a person attaches a policy although the
// configuration decides otherwise about the repository.
func (r *Repository) noteConfigured() {
	if e := r.decides; r.Change.Changes() && e != nil && e.Source != config.Attached {
		message := fmt.Sprintf("the configuration applies policy %q there; ECR applies the attached one as well, without its protection", e.Name)
		if e.Source == config.None {
			message = fmt.Sprintf("the configuration leaves it alone by policy %q; ECR will not", e.Name)
		}
		r.Foresight.Findings = append(r.Foresight.Findings, cleaner.Finding{Kind: cleaner.ConfiguredOtherwise, Repository: r.Name, Message: message})
	}
}

// Detach plans to take off the policy of every repository that the
// configuration selects. The error is as that of Attach.
func (p Planner) Detach(ctx context.Context) (Plan, error) {
	return p.plan(ctx, func(*Repository) {}, false)
}

// plan lists the repositories, lets each be prepared, and finds out about those
// that prepare leaves open.
func (p Planner) plan(ctx context.Context, prepare func(*Repository), foresee bool) (Plan, error) {
	plan, err := p.list(ctx)
	if err := p.Runner.Begin(err); err != nil {
		return plan, err
	}
	planner := p.Runner.PlannerOf(plan.Account)
	each(p.Runner.Workers, plan.Repositories, func(r *Repository) {
		var err error
		r.decides, err = cleaner.EntryFor(ctx, p.Runner.Registry, &p.Runner.Config, r.listed)
		if err == nil {
			prepare(r)
			if r.Change != "" {
				return
			}
			err = p.compare(ctx, r)
		}
		if err == nil && r.Change.Changes() && foresee {
			r.Foresight, err = planner.Foresee(ctx, r.Name, r.After.Policy, p.settings(r).Protect)
		}
		switch {
		case errors.Is(err, cleaner.ErrRepositoryNotFound):
			r.Change, r.Message = LeftAlone, "deleted while the plan was made"
		case err != nil:
			r.Change, r.Message = Unread, err.Error()
		}
	})
	return plan, nil
}

func (p Planner) list(ctx context.Context) (Plan, error) {
	var plan Plan
	selection := p.Runner.Config.Repositories.Selection()
	for repository, err := range p.Runner.Registry.Repositories(ctx) {
		if err != nil {
			return plan, err
		}
		plan.Account = repository.RegistryID
		if selection.Select(repository.Name) {
			plan.Repositories = append(plan.Repositories, Repository{Name: repository.Name, listed: repository})
		}
	}
	return plan, selection.Err()
}

// configured returns the document for the repository. Without one the message
// says why.
func configured(r *Repository, document *Document) (d Document, entry, message string) {
	if document != nil {
		return *document, "", ""
	}
	e := r.decides
	if e == nil {
		return Document{}, "", "no entry of the configuration selects it"
	}
	if e.Source != config.Inline {
		return Document{}, e.Name, fmt.Sprintf("policy %q is %q, which is nothing to attach", e.Name, e.Source)
	}
	d = ofPolicy(e.Policy)
	if d.Fault != "" {
		d.Fault = fmt.Sprintf("policy %q is none that ECR takes: %s", e.Name, d.Fault)
	}
	return d, e.Name, ""
}

// compare reads what is attached and says what the change is.
func (p Planner) compare(ctx context.Context, r *Repository) error {
	var err error
	if r.Before, err = attached(ctx, p.Runner.Registry, r.Name); err != nil {
		return err
	}
	switch {
	case r.Before.Same(r.After):
		r.Change = Unchanged
	case r.Before.Text == "":
		r.Change = Attach
	case r.After.Text == "":
		r.Change = Detach
	default:
		r.Change = Replace
	}
	return nil
}

// settings are those that the configuration has for the repository.
func (p Planner) settings(r *Repository) config.Settings {
	if r.decides != nil {
		return r.decides.Settings
	}
	return p.Runner.Config.Settings
}

// attached returns the policy attached to the repository; no text means none.
func attached(ctx context.Context, registry cleaner.Registry, name string) (Document, error) {
	text, err := registry.PolicyText(ctx, name)
	if errors.Is(err, cleaner.ErrNoPolicy) {
		return Document{}, nil
	}
	if err != nil {
		return Document{}, err
	}
	return Read(text), nil
}

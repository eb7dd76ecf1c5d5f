package policyfile

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pitfall"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// survey adds warnings by images, if --images or --repositories is given.
func (k *checker) survey(ctx context.Context, documents []*document) error {
	if k.images == "" && k.Repositories == nil {
		return nil
	}
	for _, d := range documents {
		for _, policy := range d.policies {
			d.surveys = append(d.surveys, pitfall.NewSurvey(policy))
		}
	}
	survey := k.surveyFile
	if k.Repositories != nil {
		survey = k.surveyRegistry
	}
	if err := survey(ctx, documents); err != nil {
		return err
	}
	for _, d := range documents {
		d.warn()
	}
	return nil
}

func (k *checker) surveyFile(_ context.Context, documents []*document) error {
	file, err := readImages(k.Flags, k.images)
	if err != nil {
		return err
	}
	for _, d := range documents {
		used := false
		d.add(file.RepositoryName, file.Details, func(i int) bool {
			gets := file.RepositoryName == "" || d.configuration == nil ||
				wildcard.MatchAny(d.configuration.Policies[i].Repositories, file.RepositoryName)
			used = used || gets && len(d.policies[i].Rules) > 0
			return gets
		})
		if d.problems.Err() == nil && !used {
			k.Notef("%s has no policy with rules for the repository %s of %s: its images were not used", d.name, file.RepositoryName, k.images)
		}
	}
	return nil
}

// surveyRegistry gives policies of a configuration only the repositories that get them.
func (k *checker) surveyRegistry(ctx context.Context, documents []*document) error {
	configuration, checked := config.Default(), documents[0].configuration
	if checked != nil {
		configuration = *checked
	}
	s, err := k.OpenWith(ctx, configuration, config.Plan)
	if err != nil {
		return err
	}
	assignments, _, err := s.Assign(ctx)
	if err != nil {
		return session.Error(err)
	}
	selection := selected.New(s.Config.Repositories)
	for _, a := range assignments {
		selection.Select(a.Repository)
	}
	if err := selection.Err(); err != nil {
		return session.Error(err)
	}
	for _, a := range assignments {
		switch {
		case checked == nil:
		case a.Entry == nil && a.Failed():
			return exit.Failuref("%s", a.Skip.Message)
		case a.Entry == nil || a.Entry.Source != config.Inline:
			continue
		}
		gets := func(i int) bool { return checked == nil || a.Entry == &s.Config.Policies[i] }
		if err := surveyRepository(ctx, s, a.Repository, documents, gets); err != nil {
			return err
		}
	}
	return nil
}

func surveyRepository(ctx context.Context, s *session.Session, name string, documents []*document, gets func(i int) bool) error {
	var images []evaluator.Image
	for page, err := range s.Registry.Images(ctx, name) {
		switch {
		case errors.Is(err, plan.ErrRepositoryNotFound):
			return nil // somebody has deleted it since the listing
		case err != nil:
			return exit.Failuref("%w", err)
		}
		images = append(images, page...)
	}
	for _, d := range documents {
		d.add(name, images, gets)
	}
	return nil
}

// value returns the JSON value of the i-th policy.
func (d *document) value(root *jsondoc.Value, i int) *jsondoc.Value {
	if d.configuration == nil {
		return root
	}
	items, _ := root.Member("policies").Array()
	if i >= len(items) {
		return nil // the default entry
	}
	return items[i].Member("policy")
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pitfall"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A document is a file under check.
type document struct {
	name     string
	text     []byte
	problems jsondoc.Problems
	// configuration is nil for a policy file.
	configuration *config.Config
	// policies are the one of a policy file, or one for each entry of the
	// configuration, which has no rules if it stands elsewhere. If the document
	// has a fault, none has.
	policies []lifecycle.Policy
	surveys  []*pitfall.Survey
}

// survey adds the warnings that images give rise to, if some are named.
func (k *checker) survey(c *cobra.Command, documents []*document) error {
	asked := c.Flags().Changed("repositories")
	if k.images == "" && !asked {
		return nil
	}
	for _, d := range documents {
		for _, policy := range d.policies {
			d.surveys = append(d.surveys, pitfall.NewSurvey(policy))
		}
	}
	look := k.surveyFile
	if asked {
		look = k.surveyRegistry
	}
	if err := look(c, documents); err != nil {
		return err
	}
	for _, d := range documents {
		d.warn()
	}
	return nil
}

// surveyFile holds the images of a file against all policies that may be for
// its repository.
func (k *checker) surveyFile(_ *cobra.Command, documents []*document) error {
	file, err := k.readImages(k.images)
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
			fmt.Fprintf(k.stderr, "ecrclean: %s has no policy with rules for the repository %s of %s: its images were not used\n",
				printable(d.name), printable(file.RepositoryName), printable(k.images))
		}
	}
	return nil
}

// surveyRegistry holds the repositories of the registry against the policies
// that they get: a policy file is for all of them.
func (k *checker) surveyRegistry(c *cobra.Command, documents []*document) error {
	configuration := config.Default()
	if of := documents[0].configuration; of != nil {
		configuration = *of
	}
	request, err := k.request(c, config.Plan)
	if err != nil {
		return err
	}
	session, err := k.session(c.Context(), configuration, request, "")
	if err != nil {
		return err
	}
	if documents[0].configuration != nil {
		return session.surveyAssigned(c.Context(), documents[0])
	}
	repositories, err := session.Asked(c.Context())
	if err != nil {
		return runError(err)
	}
	for _, r := range repositories {
		if err := session.surveyRepository(c.Context(), r.Name, documents, func(int) bool { return true }); err != nil {
			return err
		}
	}
	return nil
}

// surveyAssigned holds each repository against the policy that the
// configuration gives it.
func (s *session) surveyAssigned(ctx context.Context, d *document) error {
	assignments, err := s.Assign(ctx)
	if err != nil {
		return runError(err)
	}
	selection := s.Config.Repositories.Selection()
	for _, a := range assignments {
		selection.Select(a.Repository)
	}
	if err := selection.Err(); err != nil {
		return runError(err)
	}
	for _, a := range assignments {
		switch {
		case a.Entry == nil && a.Failed():
			return failure(errors.New(a.Skip.Message))
		case a.Entry == nil || a.Entry.Source != config.Inline:
			continue
		}
		gets := func(i int) bool { return a.Entry == &s.Config.Policies[i] }
		if err := s.surveyRepository(ctx, a.Repository, []*document{d}, gets); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) surveyRepository(ctx context.Context, repository string, documents []*document, gets func(i int) bool) error {
	var images []evaluator.Image
	for page, err := range s.Registry.Images(ctx, repository) {
		switch {
		case errors.Is(err, cleaner.ErrRepositoryNotFound):
			return nil // deleted meanwhile
		case err != nil:
			return failure(err)
		}
		images = append(images, page...)
	}
	for _, d := range documents {
		d.add(repository, images, gets)
	}
	return nil
}

func (d *document) add(repository string, images []evaluator.Image, gets func(i int) bool) {
	for i, survey := range d.surveys {
		if gets(i) {
			survey.Add(repository, images)
		}
	}
}

// warn adds what the surveys found to the problems. It stands in for a warning
// of the same value, which knows less.
func (d *document) warn() {
	doc := jsondoc.Parse(d.text)
	for i, survey := range d.surveys {
		survey.Warn(d.place(doc.Root(), i), d.problems)
	}
	found := doc.Problems()
	d.problems = slices.DeleteFunc(d.problems, func(p jsondoc.Problem) bool {
		return p.Warning && slices.ContainsFunc(found, func(f jsondoc.Problem) bool { return f.Path == p.Path })
	})
	d.problems = append(d.problems, found...)
	slices.SortStableFunc(d.problems, func(a, b jsondoc.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// place returns the value of the i-th policy.
func (d *document) place(root *jsondoc.Value, i int) *jsondoc.Value {
	if d.configuration == nil {
		return root
	}
	items, _ := root.Member("policies").Array()
	if i >= len(items) {
		return nil // the default entry
	}
	return items[i].Member("policy")
}

package policyfile

import (
	"cmp"
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pitfall"
)

// A document is a file that check checks.
type document struct {
	name     string
	text     []byte
	problems jsondoc.Problems
	// configuration is nil for a policy file.
	configuration *config.Config
	// policies has the policy of a policy file, or one policy for each entry of the
	// configuration. A policy has no rules if the entry takes it from elsewhere, or if the
	// configuration has a fault.
	policies []lifecycle.Policy
	surveys  []*pitfall.Survey
}

type parser func(content []byte) (lifecycle.Policy, jsondoc.Problems)

// parsers has the parser of each dialect.
var parsers = map[string]parser{
	"aws": lifecycle.ParseText,
	"extended": func(content []byte) (lifecycle.Policy, jsondoc.Problems) {
		return lifecycle.Parse(content, lifecycle.Extended)
	},
}

func (k *checker) readPolicies(names []string, parse parser) ([]*document, error) {
	documents := make([]*document, len(names))
	for i, name := range names {
		content, err := k.ReadInput(name, config.MaxBytes)
		if err != nil {
			return nil, err
		}
		policy, problems := parse(content)
		documents[i] = &document{name: name, text: content, problems: problems, policies: []lifecycle.Policy{policy}}
	}
	return documents, nil
}

// readConfiguration reads a configuration from where a run reads it, or from the standard
// input.
func (k *checker) readConfiguration(ctx context.Context) ([]*document, error) {
	read := func(ctx context.Context, location string) ([]byte, error) {
		if location == "-" {
			return k.ReadInput(location, config.MaxBytes)
		}
		return k.ReadConfiguration(ctx, location)
	}
	name, content, err := config.Text(ctx, k.Configuration, read)
	if err != nil {
		return nil, exit.Usagef("read configuration: %w", err)
	}
	c, problems := config.Parse(content)
	d := &document{
		name: cmp.Or(name, "configuration"), text: content, problems: problems,
		configuration: &c, policies: make([]lifecycle.Policy, len(c.Policies)),
	}
	for i := range c.Policies {
		if problems.Err() == nil {
			d.policies[i] = c.Policies[i].Policy
		}
	}
	return []*document{d}, nil
}

// add adds images to the survey of each policy that the repository gets.
func (d *document) add(repository string, images []evaluator.Image, gets func(i int) bool) {
	for i, survey := range d.surveys {
		if gets(i) {
			survey.Add(repository, images)
		}
	}
}

// warn adds the warnings of the surveys to the problems. They replace a warning about the
// same value that was made without images.
func (d *document) warn() {
	doc := jsondoc.Parse(d.text)
	for i, survey := range d.surveys {
		survey.Warn(d.value(doc.Root(), i), d.problems)
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

package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// readConfigurationDocument reads a configuration in any of its forms.
func (k *checker) readConfigurationDocument(ctx context.Context) ([]*document, error) {
	name, text, err := config.Text(ctx, k.configuration, k.readConfiguration)
	if err != nil {
		return nil, usageError(fmt.Errorf("read configuration: %w", err))
	}
	c, problems := config.Parse(text)
	d := &document{name: cmp.Or(name, "configuration"), text: text, problems: problems, configuration: &c}
	for _, entry := range c.Policies {
		d.policies = append(d.policies, entry.Policy)
	}
	if problems.Err() != nil {
		d.policies = make([]lifecycle.Policy, len(d.policies))
	}
	return []*document{d}, nil
}

// readConfiguration reads a configuration from where a run reads it, or from
// the standard input.
func (s *setup) readConfiguration(ctx context.Context, location string) ([]byte, error) {
	if location == "-" {
		return s.readInput(location, config.MaxBytes)
	}
	return s.source(s.profile, s.region, s.now)(ctx, location)
}

package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// checkConfiguration checks a configuration in any of its forms.
func (s *setup) checkConfiguration(ctx context.Context, location string) error {
	name, text, err := config.Text(ctx, location, s.readConfiguration)
	if err != nil {
		return usageError(fmt.Errorf("read configuration: %w", err))
	}
	_, problems := config.Parse(text)
	return s.printChecked([]checked{newChecked(cmp.Or(name, "configuration"), problems)})
}

// readConfiguration reads a configuration from where a run reads it, or from
// the standard input.
func (s *setup) readConfiguration(ctx context.Context, location string) ([]byte, error) {
	if location == "-" {
		return s.readInput(location, config.MaxBytes)
	}
	return s.source(s.profile, s.region, s.now)(ctx, location)
}

package fleet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// WriteTargets writes the list, unless the execution has one, and the items for the maps of
// the first cycle. It returns the list of the execution.
func WriteTargets(ctx context.Context, s Store, t Targets) (Targets, error) {
	err := putObject(ctx, s, targetsName(t.Execution), t, s.Create)
	if errors.Is(err, ErrExists) {
		t, err = ReadTargets(ctx, s, t.Execution)
	}
	items := make([]Item, len(t.Registries))
	for i, p := range t.Registries {
		items[i].Place = p
	}
	if err == nil {
		err = writeObject(ctx, s, PlacesName(t.Execution), t.Places)
	}
	if err == nil {
		err = writeObject(ctx, s, RegistriesName(t.Execution, 1), items)
	}
	return t, err
}

// Suits returns an error unless the mode is that of the execution.
func (t Targets) Suits(mode config.Mode) error {
	if t.Mode != mode {
		return fmt.Errorf("the execution has the mode %s, not %s; start a new execution with another name", t.Mode, mode)
	}
	return nil
}

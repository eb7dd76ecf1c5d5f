package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// ReadTargets reads the list of the execution. It returns [ErrMissing] if there is none.
func ReadTargets(ctx context.Context, s Store, execution string) (t Targets, err error) {
	name := targetsName(execution)
	content, _, err := s.Open(ctx, name)
	if err != nil {
		return t, err
	}
	err = errors.Join(json.NewDecoder(content).Decode(&t), content.Close())
	if err == nil && t.Execution != execution {
		err = fmt.Errorf("it is of execution %q", t.Execution)
	}
	if err != nil {
		err = fmt.Errorf("read %s: %w; start a new execution", s.Location(name), err)
	}
	return t, err
}

// WriteTargets writes the list and, before it, what the maps of the first cycle read.
func WriteTargets(ctx context.Context, s Store, t Targets) error {
	items := make([]Item, len(t.Registries))
	for i, p := range t.Registries {
		items[i].Place = p
	}
	for _, object := range []struct {
		name    string
		content any
	}{{PlacesName(t.Execution), t.Places}, {RegistriesName(t.Execution, 1), items}, {targetsName(t.Execution), t}} {
		text, err := json.Marshal(object.content)
		if err == nil {
			err = s.Put(ctx, object.name, text)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", s.Location(object.name), err)
		}
	}
	return nil
}

package fleet

import "context"

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
		if err := writeObject(ctx, s, object.name, object.content); err != nil {
			return err
		}
	}
	return nil
}

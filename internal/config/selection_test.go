package config_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

func TestASelectionNamesEachPatternThatSelectsNothing(t *testing.T) {
	t.Parallel()
	registry := []string{"base", "secret/api", "team/api", "team/web"}
	for name, test := range map[string]struct {
		requested           []string
		unmatched, excluded []string // by Select
	}{
		"nothing requested":        {},
		"all match":                {requested: []string{"team/*", "base"}},
		"two for the same":         {requested: []string{"team/*", "team/api"}},
		"a name":                   {requested: []string{"team/api", "team/apo"}, unmatched: []string{"team/apo"}},
		"case counts":              {requested: []string{"Base"}, unmatched: []string{"Base"}},
		"all of several":           {requested: []string{"x", "base", "y*"}, unmatched: []string{"x", "y*"}},
		"excluded":                 {requested: []string{"secret/*"}, excluded: []string{"secret/*"}},
		"in part excluded":         {requested: []string{"*/api"}},
		"one of each":              {requested: []string{"secret/api", "x"}, unmatched: []string{"x"}, excluded: []string{"secret/api"}},
		"excluded by its own name": {requested: []string{"*"}},
	} {
		r := config.Repositories{Include: patterns("*"), Exclude: patterns("secret/*"), Requested: patterns(test.requested...)}
		selecting, asking := r.Selection(), r.Selection()
		for _, repository := range registry {
			if got, want := selecting.Select(repository), r.Select(repository); got != want {
				t.Errorf("%s: Select(%s) is %t, want %t", name, repository, got, want)
			}
			if got, want := asking.Ask(repository), r.Ask(repository); got != want {
				t.Errorf("%s: Ask(%s) is %t, want %t", name, repository, got, want)
			}
		}
		wantSelection(t, name+", selecting", selecting.Err(), test.unmatched, test.excluded)
		wantSelection(t, name+", asking", asking.Err(), test.unmatched, nil)
	}
}

func wantSelection(t *testing.T, name string, err error, unmatched, excluded []string) {
	t.Helper()
	if len(unmatched)+len(excluded) == 0 {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	got, ok := errors.AsType[*config.SelectionError](err)
	if !ok {
		t.Fatalf("%s: error %v, want that nothing matches %v and %v", name, err, unmatched, excluded)
	}
	if diff := cmp.Diff(patterns(unmatched...), got.Unmatched, cmpopts.EquateEmpty()) + cmp.Diff(patterns(excluded...), got.Excluded, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: mismatch (-want +got):\n%s", name, diff)
	}
}

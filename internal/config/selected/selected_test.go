package selected_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

func TestAPatternThatMatchesNothingHasASuggestion(t *testing.T) {
	t.Parallel()
	for text, hint := range map[string]string{
		"payments":     " (did you mean 'payments/*'?)",
		"payment":      " (did you mean 'payments/*'?)",
		"payments/":    " (did you mean 'payments/*'?)",
		"payment/*":    " (did you mean 'payments/*'?)",
		"serch/*":      " (did you mean 'search/*'?)",
		"search":       " (did you mean search/index?)",
		"deep/tean":    " (did you mean 'deep/team/*'?)",
		"payments/apo": " (did you mean payments/api?)",
		"other/*":      "",
		"p*x":          "",
	} {
		selection := selected.New(config.Repositories{Requested: []wildcard.Pattern{wildcard.Compile(text)}})
		for _, name := range []string{"payments/api", "payments/worker", "search/index", "deep/team/a", "deep/team/b", "base"} {
			selection.Select(name)
		}
		awstest.Contains(t, selection.Err().Error(), "no repository matches "+text+hint+"; nothing was done")
	}
}

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
		selecting, asking := selected.New(r), selected.New(r)
		for _, repository := range registry {
			awstest.Equal(t, name+": Select("+repository+")", r.Select(repository), selecting.Select(repository))
			awstest.Equal(t, name+": Ask("+repository+")", r.Ask(repository), asking.Ask(repository))
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
	got, ok := errors.AsType[*selected.Error](err)
	if !ok {
		t.Fatalf("%s: error %v, want that nothing matches %v and %v", name, err, unmatched, excluded)
	}
	if diff := cmp.Diff(patterns(unmatched...), got.Unmatched, cmpopts.EquateEmpty()) + cmp.Diff(patterns(excluded...), got.Excluded, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: mismatch (-want +got):\n%s", name, diff)
	}
}

// Without a list of the registry only exact names are known.
func TestExactNamesAreThoseThatTheSelectionNeeds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ include, requested, want string }{
		{"*", "", ""}, {"", "", ""}, {"b a b", "", "a b"}, {"a b*", "", ""}, {"a b*", "c a", "a c"}, {"a", "x*", "a"}, {"*", "a x*", ""},
	} {
		s := selected.New(config.Repositories{Include: patterns(strings.Fields(tt.include)...), Requested: patterns(strings.Fields(tt.requested)...)})
		awstest.Equal(t, fmt.Sprint(tt), tt.want, strings.Join(s.Exact(), " "))
	}
	s := selected.New(config.Repositories{Include: patterns("a", "b"), Requested: patterns("b", "a*", "c*")})
	s.OnlyExact()
	s.Select("a")
	s.Select("b")
	e, _ := errors.AsType[*selected.Error](s.Err())
	if e == nil || len(e.Unmatched) > 0 || len(e.Unknown) != 1 || e.Unknown[0].String() != "c*" || s.Whole() {
		t.Errorf("the error is %+v", e)
	}
}

func patterns(texts ...string) []wildcard.Pattern {
	compiled := make([]wildcard.Pattern, len(texts))
	for i, text := range texts {
		compiled[i] = wildcard.Compile(text)
	}
	return compiled
}

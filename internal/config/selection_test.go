package config_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
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
		selection := config.Repositories{Requested: []wildcard.Pattern{wildcard.Compile(text)}}.Selection()
		for _, name := range []string{"payments/api", "payments/worker", "search/index", "deep/team/a", "deep/team/b", "base"} {
			selection.Select(name)
		}
		awstest.Contains(t, selection.Err().Error(), "no repository matches "+text+hint+"; nothing was done")
	}
}

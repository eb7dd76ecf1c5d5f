package session_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func TestACommandLineIsQuotedForAShell(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"team/app:v1": "team/app:v1", "": "''", "pr-*": "'pr-*'", "it's": `'it'\''s'`, `{"protect": {}}`: `'{"protect": {}}'`, "a\nb": "'a\nb'",
	} {
		awstest.Equal(t, word, want, session.Quoted(word))
	}
}

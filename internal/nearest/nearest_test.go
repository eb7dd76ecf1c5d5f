package nearest_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
)

func TestTheNearestNameIsFound(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for _, tt := range []struct {
		name, known, want string
	}{
		{"team/apo", "base team/api team/web", "team/api"},
		{"aply", "apply plan", "apply"},
		{"paln", "apply plan", "plan"},
		{"repository", "region repositories", "repositories"},
		{"repo", "region repositories", "repositories"},
		{"repository", "repositoryTags repositories", "repositories"},
		{"max", "maxDeletionsPerRepository maxDeletions mode", "maxDeletions"},
		{"count_number", "countType countNumber", "countNumber"},
		{"INUSE", "inUse references", "inUse"},
		{"v9", "v10 v3 v2", "v2"},
		{"sha", "x y", ""},
		{"x", "y z", ""},
		{"", "y z", ""},
		{"ü", "u", ""},
		{"nothing", "else entirely", ""},
		{long, "x " + long[1:], long[1:]},
		{long + "x", long, ""},
	} {
		known, got := strings.Fields(tt.known), ""
		if i := nearest.Index(tt.name, known); i >= 0 {
			got = known[i]
		}
		if got != tt.want {
			t.Errorf("nearest to %q of %q is %q, want %q", tt.name, tt.known, got, tt.want)
		}
	}
	if got := nearest.Hint("aply", []string{"apply"}); got != " (did you mean apply?)" {
		t.Errorf("Hint is %q", got)
	}
	if got := nearest.Hint[string]("x", nil); got != "" {
		t.Errorf("Hint without names is %q", got)
	}
}

package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func TestOnlyAnExtendedPolicyMayHaveComments(t *testing.T) {
	t.Parallel()
	text := []byte(`{"rules": [ // größe
		{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3},
		 "action": {"type": "expire"}}]} // end`)
	if p, problems := lifecycle.Parse(text, lifecycle.Extended); len(problems) > 0 || len(p.Rules) != 1 {
		t.Errorf("extended: %v, %v", p, problems)
	}
	_, problems := lifecycle.ParseText(text)
	if got, want := problems.Error(), "1:13: begins a comment, which ECR does not accept in a policy; remove the comments"; got != want {
		t.Errorf("native: %s, want %s", got, want)
	}
	_, problems = lifecycle.Parse(text, lifecycle.AWS)
	if !strings.Contains(problems.Error(), "1:13: is not JSON") {
		t.Errorf("native: %s", problems)
	}
}

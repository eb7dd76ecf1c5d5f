package render

import (
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
)

// AttachedPolicies returns a sentence about the policies that ECR applies itself, or "" if no
// repository has one. A report counts only those that its run has read.
func AttachedPolicies(repositories int, atLeast string) string {
	if repositories == 0 {
		return ""
	}
	return fmt.Sprintf("ECR itself applies an attached policy in %s%s within a day, also to images in use: ecrclean adopt moves it into your configuration",
		atLeast, text.Count(repositories, "repository"))
}

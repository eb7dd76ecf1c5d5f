package render

import (
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
)

// AttachedPolicies returns a sentence about the policies that ECR applies itself, or "" if no
// repository has one.
func AttachedPolicies(repositories int) string {
	if repositories == 0 {
		return ""
	}
	return fmt.Sprintf("ECR itself applies an attached policy in %s within a day, also to images in use: ecrclean adopt moves it into your configuration",
		text.Count(repositories, "repository"))
}

package plan

import (
	"context"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/resourcepolicy"
)

// sharedFinding returns a finding if accounts may pull from the repository whose images in
// use no source of the settings can find. A list of references may have those of any
// account; the lists below a prefix have those of the accounts that are expected.
func (c *contents) sharedFinding(ctx context.Context, settings config.Protect) []finding.Finding {
	reader, able := c.Registry.(PolicyReader)
	covered, anyAccount := settings.Covered()
	if !able || c.Scanner == nil || len(settings.InUse)+len(covered) == 0 || anyAccount {
		return nil
	}
	policy, err := c.repositoryPolicy(ctx, reader)
	if err != nil {
		return []finding.Finding{c.finding(finding.SharedRepository, "it is not known which other accounts may pull from it: %v", err)}
	}
	others := policy.Pullers(append(covered, c.Scanner.Account)...)
	if len(others) == 0 {
		return nil
	}
	return []finding.Finding{c.finding(finding.SharedRepository, "its policy lets %s pull, and the images that they use are not known; "+
		"add their accounts to protect.accounts, or a list of these images to protect.references", strings.Join(others, ", "))}
}

func (c *contents) repositoryPolicy(ctx context.Context, reader PolicyReader) (resourcepolicy.Policy, error) {
	return c.resourcePolicy.Get(ctx, func(ctx context.Context) (string, error) {
		return reader.RepositoryPolicyText(ctx, c.repository)
	})
}

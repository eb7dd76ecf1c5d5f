package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/resourcepolicy"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// sharedFinding returns a finding if accounts may pull from the repository whose images in
// use no source of the settings can find. A list of references may have those of any
// account; the lists below a prefix have those of the accounts that are expected.
func (c *contents) sharedFinding(ctx context.Context, settings config.Protect) []finding.Finding {
	reader, able := c.Registry.(PolicyReader)
	covered, anyAccount := settings.Covered()
	if !able || c.Scanner == nil || len(settings.InUse)+len(covered) == 0 || anyAccount || settings.FleetLists {
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

// unlistedAccount returns a Skip if the settings rely on the lists of an execution, and an
// account may pull of which there is no list. A list of references may have the uses of any.
func (u *imagesInUse) unlistedAccount(ctx context.Context, settings config.Protect) *Skip {
	covered, anyAccount := settings.Covered()
	if !settings.FleetLists || anyAccount {
		return nil
	}
	accounts := slices.Concat(u.listed, covered, []string{u.Scanner.Account})
	reader, able := u.Registry.(PolicyReader)
	if !able {
		return unknownPullers(errors.New("this registry cannot read resource policies"))
	}
	policy, err := u.RegistryPolicy.Get(ctx, reader.RegistryPolicyText)
	if err != nil {
		return unknownPullers(err)
	}
	which, others := "registry", policy.Unlisted(accounts, u.organization)
	if len(others) == 0 {
		if policy, err = u.repositoryPolicy(ctx, reader); err != nil {
			return unknownPullers(err)
		}
		which, others = "repository", policy.Unlisted(accounts, u.organization)
	}
	if len(others) == 0 {
		return nil
	}
	return &Skip{SkipUnlistedAccount, fmt.Sprintf("the %s policy lets %s pull, and no list has the images that they use in this Region; "+
		"add their accounts to protect.accounts, or a list of these images to protect.references, or take them out of the policy",
		which, strings.Join(words.Few(others), ", "))}
}

func unknownPullers(err error) *Skip {
	return &Skip{SkipScanFailed, fmt.Sprintf("it is not known which other accounts may pull: %v", err)}
}

func (c *contents) repositoryPolicy(ctx context.Context, reader PolicyReader) (resourcepolicy.Policy, error) {
	return c.resourcePolicy.Get(ctx, func(ctx context.Context) (string, error) {
		return reader.RepositoryPolicyText(ctx, c.repository)
	})
}

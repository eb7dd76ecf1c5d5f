package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// afterFailures returns a Skip if a failed source that the plan relies on may use an image
// here. If none may, it sets unanswered for the first of them.
func (c *contents) afterFailures(ctx context.Context, failed []inuse.Failure, relied map[string]bool) *Skip {
	checked := map[string]bool{} // accounts that use nothing here
	for _, f := range failed {
		if !relied[f.Source] || checked[f.Account] {
			continue
		}
		why, uses := c.mayUse(ctx, f.Account)
		if uses {
			return &Skip{SkipScanFailed, "in-use scan: " + f.String() + why}
		}
		c.unanswered = cmp.Or(c.unanswered, &Skip{SkipScanFailed, "in-use scan: " + f.String()})
		checked[f.Account] = true
	}
	return nil
}

// mayUse reports whether the account may use an image of the repository, and why. Another
// account may not if no policy may let it pull, and no scan of the run has such a use.
func (c *contents) mayUse(ctx context.Context, account string) (why string, uses bool) {
	if own := c.Scanner.Account; account == "" || own == "" || account == own {
		return "", true
	}
	listed := func(digest string) bool { return len(c.listing.WithName(digest)) > 0 }
	if by, named := c.Scanner.UsedBy(account, c.repository, listed); named {
		return fmt.Sprintf("; account %s has used an image of it: %s", account, by), true
	}
	reader, able := c.Registry.(PolicyReader)
	if !able {
		return c.unknownAdmission(account, errors.New("this registry cannot read resource policies"))
	}
	policy, err := c.RegistryPolicy.Get(ctx, reader.RegistryPolicyText)
	if err != nil {
		return c.unknownAdmission(account, err)
	}
	if policy.MayAdmit(account) {
		return fmt.Sprintf("; the registry policy may let account %s pull", account), true
	}
	if policy, err = c.repositoryPolicy(ctx, reader); err != nil {
		return c.unknownAdmission(account, err)
	}
	return fmt.Sprintf("; its repository policy may let account %s pull", account), policy.MayAdmit(account)
}

func (c *contents) unknownAdmission(account string, err error) (why string, uses bool) {
	return fmt.Sprintf("; it is not known whether account %s may pull: %v", account, err), true
}

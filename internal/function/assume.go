package function

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/role"
)

// A Role is a role in an account, for one Region.
type Role struct {
	config.Place
	ARN        string
	ExternalID string
	Session    string // the name of the session
}

var targetAdvice = role.Advice{
	Permission: "parameters ReaderRoleArns and RemoverRoleArns of deploy/fleet.yaml",
	Trust:      "deploy/fleet-member.yaml, once in each account",
	Field:      "targets of the configuration",
}

// Assumer is [Connector] for the registries of other accounts: the returned function assumes a
// role with the credentials of the environment, in its own Region.
func Assumer(getenv func(string) string) func(profile, region string, clock func() time.Time) func(context.Context, Role) (Registry, error) {
	return func(profile, region string, clock func() time.Time) func(context.Context, Role) (Registry, error) {
		return func(ctx context.Context, r Role) (Registry, error) {
			limits, err := concurrency(getenv)
			if err != nil {
				return Registry{}, err
			}
			own, err := awsclient.Load(ctx, profile, region)
			if err != nil {
				return Registry{}, err
			}
			return Assume(ctx, own, r, limits, clock)
		}
	}
}

// Assume connects to the registry of the place with the role. Everything outside that account
// is done with the credentials of own. The error is that of STS, with advice.
func Assume(ctx context.Context, own aws.Config, r Role, limits pace.Limits, clock func() time.Time) (Registry, error) {
	assumed := role.NewCaller(own, r.Session).Role(r.ARN, r.ExternalID, targetAdvice)
	if err := assumed.Assume(ctx); err != nil {
		return Registry{}, err
	}
	return connect(own, func(cfg *aws.Config) { cfg.Region, cfg.Credentials = r.Region, assumed.Credentials }, limits, clock), nil
}

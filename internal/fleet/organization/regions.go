package organization

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// RegionsAction is the IAM action of an account's reading role for [DisabledRegions].
const RegionsAction = "account:ListRegions"

// IsOptIn reports whether an account may have the Region disabled. Regions that began before
// March 20, 2019 are always enabled, and so are those of other partitions.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
func IsOptIn(region string) bool {
	for _, prefix := range []string{"cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-"} {
		if strings.HasPrefix(region, prefix) {
			return false
		}
	}
	return !slices.Contains([]string{
		"us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1",
		"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3",
		"ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
	}, region)
}

// DisabledRegions returns the status of the Regions that are disabled or being disabled in
// the account of the credentials.
// https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
func DisabledRegions(ctx context.Context, cfg aws.Config, clock func() time.Time) (map[string]string, error) {
	type region struct{ RegionName, RegionOptStatus string }
	type page struct {
		Regions   []region
		NextToken *string
	}
	type input struct {
		MaxResults int
		NextToken  *string `json:",omitempty"`
	}
	api := global(cfg, "account", "Account", clock)
	regions, err := query.List(func(token *string) (out page, err error) {
		err = api.Send(ctx, "ListRegions", http.MethodPost, "/listRegions", nil, input{50, token}, &out)
		return out, err
	}, func(p page) ([]region, *string) { return p.Regions, p.NextToken })
	if action, denied := query.Denied(err); denied {
		return nil, fmt.Errorf("list Regions: %w; allow %s to the reading role of the account", err, action)
	}
	disabled := map[string]string{}
	for _, r := range regions {
		switch r.RegionOptStatus {
		case "DISABLED", "DISABLING":
			disabled[r.RegionName] = r.RegionOptStatus
		case "":
			return nil, fmt.Errorf("list Regions: %w", errNoRegion)
		}
	}
	return disabled, err
}

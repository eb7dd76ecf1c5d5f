package ecrapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
)

// PullTimeExclusions returns the ARNs of the principals whose pulls ECR does not
// record. It returns none for an emulator that does not know the operation.
func (c Client) PullTimeExclusions(ctx context.Context) ([]string, error) {
	var arns []string
	exclusions := listing[string](func(token *string) (page[string], error) {
		out, err := c.api.ListPullTimeUpdateExclusions(ctx, &ecr.ListPullTimeUpdateExclusionsInput{NextToken: token}, c.errorPageOnce)
		if c.emulated && (awsclient.IsErrorPage(err) || hasCode(err, "UnknownOperationException")) {
			return page[string]{}, nil
		}
		if err != nil {
			return page[string]{}, Classify(err)
		}
		return page[string]{items: out.PullTimeUpdateExclusions, next: aws.ToString(out.NextToken)}, present("pullTimeUpdateExclusions", out.PullTimeUpdateExclusions != nil)
	})
	for p, err := range exclusions.pages {
		if err != nil {
			return nil, fmt.Errorf("list pull-time update exclusions: %w", err)
		}
		arns = append(arns, p.items...)
	}
	return arns, nil
}

func (c Client) errorPageOnce(o *ecr.Options) {
	if c.emulated {
		o.Retryer = awsclient.ErrorPageOnce{Retryer: o.Retryer}
	}
}

package ecrapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

// PullTimeExclusions returns the ARNs of the principals whose pulls ECR does
// not record.
func (c Client) PullTimeExclusions(ctx context.Context) ([]string, error) {
	var arns []string
	p := pages[string]{tokens: map[string]bool{}, fetch: func(token *string) ([]string, *string, error) {
		out, err := c.api.ListPullTimeUpdateExclusions(ctx, &ecr.ListPullTimeUpdateExclusionsInput{NextToken: token}, once)
		if err != nil {
			return nil, nil, Classify(err)
		}
		return out.PullTimeUpdateExclusions, out.NextToken, nil
	}}
	for arn, err := range p.items {
		if err != nil {
			return nil, fmt.Errorf("list pull-time update exclusions: %w", err)
		}
		arns = append(arns, arn)
	}
	return arns, nil
}

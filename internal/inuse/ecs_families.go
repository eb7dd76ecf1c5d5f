package inuse

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// families notes the newest task definitions of every active family.
func (s *ecsScan) families(ctx context.Context) error {
	if s.revisions == 0 {
		return nil
	}
	families, err := listed(func(token *string) ([]string, *string, error) {
		out, err := s.api.ListTaskDefinitionFamilies(ctx, &ecs.ListTaskDefinitionFamiliesInput{
			Status: types.TaskDefinitionFamilyStatusActive, MaxResults: aws.Int32(maxECSPage), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Families, out.NextToken, nil
	})
	if err != nil {
		return s.explain("list task definition families", err)
	}
	return each(ctx, families, s.newest)
}

// newest notes the newest task definitions of one family. ECS lists them in
// that order, and those of this family only; an emulator that takes the name
// for a prefix does not get far.
func (s *ecsScan) newest(ctx context.Context, family string) error {
	revision := 0
	for arn, err := range paged(func(token *string) ([]string, *string, error) {
		out, err := s.api.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{
			FamilyPrefix: &family, Status: types.TaskDefinitionStatusActive, Sort: types.SortOrderDesc,
			MaxResults: aws.Int32(int32(min(s.revisions, maxECSPage))), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.TaskDefinitionArns, out.NextToken, nil
	}) {
		if err != nil {
			return s.explain("list task definitions of "+family, err)
		}
		if familyOf(arn) != family {
			continue
		}
		revision++
		s.define(&arn, arn, revision)
		if revision == s.revisions {
			break
		}
	}
	return nil
}

// familyOf returns the family in arn:aws:ecs:…:task-definition/family:revision.
func familyOf(arn string) string {
	family := arn[strings.LastIndex(arn, "/")+1:]
	if i := strings.LastIndex(family, ":"); i >= 0 {
		family = family[:i]
	}
	return family
}

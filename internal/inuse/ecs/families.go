package ecs

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// families adds the newest task definitions of every active family to the definitions.
func (s *scan) families(ctx context.Context) error {
	if s.Revisions == 0 {
		return nil
	}
	families, err := inuse.List(func(token *string) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
		return s.API.ListTaskDefinitionFamilies(ctx, &ecs.ListTaskDefinitionFamiliesInput{
			Status: types.TaskDefinitionFamilyStatusActive, MaxResults: aws.Int32(maxPage), NextToken: token,
		})
	}, func(out *ecs.ListTaskDefinitionFamiliesOutput) ([]string, *string) {
		return out.Families, out.NextToken
	})
	if err != nil {
		return explain("list task definition families", err)
	}
	return inuse.Each(ctx, families, s.newest)
}

// newest adds the newest task definitions of one family to the definitions. ECS lists
// the newest first. An emulator may also list families whose names begin with this one;
// newest skips these.
func (s *scan) newest(ctx context.Context, family string) error {
	revision := 0
	for arn, err := range inuse.Pages(func(token *string) (*ecs.ListTaskDefinitionsOutput, error) {
		return s.API.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{
			FamilyPrefix: &family, Status: types.TaskDefinitionStatusActive, Sort: types.SortOrderDesc,
			MaxResults: aws.Int32(int32(min(s.Revisions, maxPage))), NextToken: token,
		})
	}, func(out *ecs.ListTaskDefinitionsOutput) ([]string, *string) {
		return out.TaskDefinitionArns, out.NextToken
	}) {
		if err != nil {
			return explain("list task definitions of "+family, err)
		}
		if familyOf(arn) != family {
			continue
		}
		revision++
		s.define(&arn, arn, revision)
		if revision == s.Revisions {
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

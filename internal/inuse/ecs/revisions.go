package ecs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// serviceRevisions adds the images of revisions that run, are deployed or may come back.
func (s *scan) serviceRevisions(ctx context.Context, sv service) error {
	if err := s.listDeployments(ctx, &sv); err != nil {
		return err
	}
	if slices.Contains(sv.deployments, "") || slices.Contains(sv.revisions, "") {
		return fmt.Errorf("list service deployments of %s: a deployment or revision has no ARN", sv.arn)
	}
	for some := range slices.Chunk(distinctARNs(sv.deployments), maxVersions) {
		revisions, err := s.describeDeployments(ctx, sv, some)
		if err != nil {
			return err
		}
		sv.revisions = append(sv.revisions, revisions...)
	}
	for some := range slices.Chunk(distinctARNs(sv.revisions), maxVersions) {
		if err := s.describeRevisions(ctx, sv, some); err != nil {
			return err
		}
	}
	return nil
}

// distinctARNs sorts the ARNs and removes duplicates and empty ones.
func distinctARNs(arns []string) []string {
	slices.Sort(arns)
	return slices.DeleteFunc(slices.Compact(arns), func(arn string) bool { return arn == "" })
}

// listDeployments adds the relevant deployments and their new revisions to the service.
func (s *scan) listDeployments(ctx context.Context, sv *service) error {
	deployments, err := query.List(func(token *string) (*ecs.ListServiceDeploymentsOutput, error) {
		return s.API.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
			Cluster: &sv.cluster, Service: &sv.arn, MaxResults: aws.Int32(maxPage), NextToken: token,
		}, s.retryOptions(sv))
	}, func(out *ecs.ListServiceDeploymentsOutput) ([]types.ServiceDeploymentBrief, *string) {
		return out.ServiceDeployments, out.NextToken
	})
	for _, d := range relevant(deployments) {
		sv.deployments = append(sv.deployments, aws.ToString(d.ServiceDeploymentArn))
		sv.revisions = append(sv.revisions, aws.ToString(d.TargetServiceRevisionArn))
	}
	if err != nil && !s.hasNoRevisions(sv, err) {
		return explain("list service deployments of "+sv.arn, err)
	}
	return nil
}

// relevant returns the last successful deployment and all newer ones.
func relevant(deployments []types.ServiceDeploymentBrief) []types.ServiceDeploymentBrief {
	slices.SortStableFunc(deployments, func(a, b types.ServiceDeploymentBrief) int {
		return createdAt(b).Compare(createdAt(a))
	})
	for i, d := range deployments {
		if d.CreatedAt != nil && (d.Status == types.ServiceDeploymentStatusSuccessful || d.Status == types.ServiceDeploymentStatusRollbackSuccessful) {
			return deployments[:i+1]
		}
	}
	return deployments
}

func createdAt(d types.ServiceDeploymentBrief) time.Time {
	if d.CreatedAt == nil {
		return time.Unix(1<<40, 0) // after all others
	}
	return *d.CreatedAt
}

// hasNoRevisions reports whether the error of listing deployments means that the service
// has no revisions: the service was deleted, or it names none and ECS does not know any.
func (s *scan) hasNoRevisions(sv *service, err error) bool {
	return gone(err) || len(sv.current) == 0 && (query.NotKnown(err) || s.Emulated && awsclient.IsErrorPage(err))
}

// retryOptions prevents retries of an emulator's error page.
func (s *scan) retryOptions(sv *service) func(*ecs.Options) {
	return func(o *ecs.Options) {
		if s.Emulated && len(sv.current) == 0 {
			o.Retryer = awsclient.ErrorPageOnce{Retryer: o.Retryer}
		}
	}
}

// describeDeployments returns the revisions in the deployments: new, old and rolled back to.
func (s *scan) describeDeployments(ctx context.Context, sv service, arns []string) ([]string, error) {
	doing := "describe service deployments of " + sv.arn
	out, err := s.API.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
	if err != nil {
		return nil, explainUnlessGone(doing, err)
	}
	var revisions []string
	for _, d := range out.ServiceDeployments {
		for _, source := range d.SourceServiceRevisions {
			revisions = append(revisions, aws.ToString(source.Arn))
		}
		if d.TargetServiceRevision != nil {
			revisions = append(revisions, aws.ToString(d.TargetServiceRevision.Arn))
		}
		if d.Rollback != nil {
			revisions = append(revisions, aws.ToString(d.Rollback.ServiceRevisionArn))
		}
	}
	arnOf := func(d types.ServiceDeployment) *string { return d.ServiceDeploymentArn }
	return revisions, complete(doing, arns, out.ServiceDeployments, arnOf, out.Failures)
}

// describeRevisions adds the images of the revisions, or else their task definitions.
func (s *scan) describeRevisions(ctx context.Context, sv service, arns []string) error {
	doing := "describe service revisions of " + sv.arn
	out, err := s.API.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns})
	if err != nil {
		return explainUnlessGone(doing, err)
	}
	for _, r := range out.ServiceRevisions {
		by := aws.ToString(r.ServiceRevisionArn)
		if len(r.ContainerImages) == 0 {
			if aws.ToString(r.TaskDefinition) == "" {
				return fmt.Errorf("%s: %s names neither images nor a task definition", doing, by)
			}
			s.define(r.TaskDefinition, by, 0)
		}
		for _, container := range r.ContainerImages {
			image, digest := aws.ToString(container.Image), aws.ToString(container.ImageDigest)
			if image == "" && digest == "" {
				return fmt.Errorf("%s: %s has a container without an image", doing, by)
			}
			use := inuse.Use{By: by, Runs: digest != "" && slices.Contains(sv.current, by)}
			if err := s.container(image, digest, use); err != nil {
				return err
			}
		}
	}
	arnOf := func(r types.ServiceRevision) *string { return r.ServiceRevisionArn }
	return complete(doing, arns, out.ServiceRevisions, arnOf, out.Failures)
}

package ecs

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// A service is an ECS service that may have revisions.
type service struct {
	cluster, arn           string
	deployments, revisions []string // the ARNs that are known so far
	current                []string // the ARNs that the service itself names
}

func (s *scan) services(ctx context.Context, clusters []string) error {
	batches, err := query.Gather(ctx, clusters, s.listServices)
	if err != nil {
		return err
	}
	services, err := query.Gather(ctx, batches, s.describeServices)
	if err != nil {
		return err
	}
	return query.Each(ctx, services, s.serviceRevisions)
}

func (s *scan) listServices(ctx context.Context, cluster string) ([]batch, error) {
	arns, err := query.List(func(token *string) (*ecs.ListServicesOutput, error) {
		return s.API.ListServices(ctx, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(maxPage), NextToken: token})
	}, func(out *ecs.ListServicesOutput) ([]string, *string) { return out.ServiceArns, out.NextToken })
	if err := explainUnlessGone("list services in "+cluster, err); err != nil {
		return nil, err
	}
	return batches(cluster, arns, maxServices), nil
}

// describeServices adds the task definitions, and returns the services that may have revisions.
func (s *scan) describeServices(ctx context.Context, b batch) ([]service, error) {
	doing := "describe services in " + b.cluster
	out, err := s.API.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &b.cluster, Services: b.arns})
	if err != nil {
		return nil, explainUnlessGone(doing, err)
	}
	var found []service
	for _, sv := range out.Services {
		if aws.ToString(sv.Status) == "INACTIVE" {
			continue
		}
		s.defineService(sv)
		if c := newService(b.cluster, sv); len(c.current) > 0 || mayHaveRevisions(sv.DeploymentController) {
			found = append(found, c)
		}
	}
	return found, complete(doing, b.arns, out.Services, func(sv types.Service) *string { return sv.ServiceArn }, out.Failures)
}

// defineService adds the task definitions of the service, its deployments and task sets.
func (s *scan) defineService(sv types.Service) {
	arn := aws.ToString(sv.ServiceArn)
	s.define(sv.TaskDefinition, arn, 0)
	for _, d := range sv.Deployments {
		s.define(d.TaskDefinition, arn, 0)
	}
	for _, set := range sv.TaskSets {
		s.define(set.TaskDefinition, arn, 0)
	}
}

// mayHaveRevisions reports whether a service with that controller may have revisions.
// CodeDeploy and external controllers deploy task sets instead.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
func mayHaveRevisions(controller *types.DeploymentController) bool {
	return controller == nil || controller.Type != types.DeploymentControllerTypeCodeDeploy &&
		controller.Type != types.DeploymentControllerTypeExternal
}

func newService(cluster string, sv types.Service) service {
	c := service{cluster: cluster, arn: aws.ToString(sv.ServiceArn)}
	if d := aws.ToString(sv.CurrentServiceDeployment); d != "" {
		c.deployments = append(c.deployments, d)
	}
	for _, r := range sv.CurrentServiceRevisions {
		c.revisions = append(c.revisions, aws.ToString(r.Arn))
	}
	c.current = slices.Concat(c.deployments, c.revisions)
	return c
}

package ecs

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// A service is an ECS service or a daemon that may have revisions.
type service struct {
	cluster, arn           string
	deployments, revisions []string // the ARNs that are known so far
	current                []string // the ARNs that the service itself names
	hasTaskSets            bool     // in place of revisions
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
	if err := query.Each(ctx, services, s.taskSets); err != nil {
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

// describeServices adds the task definitions, and returns the services that are not deleted.
func (s *scan) describeServices(ctx context.Context, b batch) ([]service, error) {
	doing := "describe services in " + b.cluster
	out, err := s.API.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &b.cluster, Services: b.arns})
	if err != nil {
		return nil, explainUnlessGone(doing, err)
	}
	arnOf := func(sv types.Service) *string { return sv.ServiceArn }
	if err := complete(doing, b.arns, out.Services, arnOf, out.Failures); err != nil {
		return nil, err
	}
	var found []service
	for _, sv := range out.Services {
		if aws.ToString(sv.Status) == "INACTIVE" {
			continue
		}
		service := newService(b.cluster, sv)
		if !s.defineService(sv) && len(service.current) == 0 && !service.hasTaskSets {
			return nil, fmt.Errorf("%s: %s names no task definition", doing, service.arn)
		}
		found = append(found, service)
	}
	return found, nil
}

// defineService adds the task definitions of the service, its deployments and task sets. It
// reports whether there are any.
func (s *scan) defineService(sv types.Service) (any bool) {
	definitions := []*string{sv.TaskDefinition}
	for _, d := range sv.Deployments {
		definitions = append(definitions, d.TaskDefinition)
	}
	for _, set := range sv.TaskSets {
		definitions = append(definitions, set.TaskDefinition)
	}
	for _, d := range definitions {
		s.define(d, aws.ToString(sv.ServiceArn), user{})
		any = any || aws.ToString(d) != ""
	}
	return any
}

// deploysTaskSets reports whether the controller deploys task sets in place of revisions.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
func deploysTaskSets(controller *types.DeploymentController) bool {
	return controller != nil && (controller.Type == types.DeploymentControllerTypeCodeDeploy ||
		controller.Type == types.DeploymentControllerTypeExternal)
}

// taskSets adds the task definitions of the task sets of the service. ECS has refused this
// call with "TaskSets cannot be empty". DescribeServices then has all task sets.
// https://github.com/aws/aws-cli/issues/5380
func (s *scan) taskSets(ctx context.Context, sv service) error {
	if !sv.hasTaskSets || !s.Settings.TaskSets {
		return nil
	}
	doing := "describe task sets of " + sv.arn
	out, err := s.API.DescribeTaskSets(ctx, &ecs.DescribeTaskSetsInput{Cluster: &sv.cluster, Service: &sv.arn}, s.errorPageOnce(true))
	switch {
	case gone(err), s.unknown(err), query.HasCode(err, "TaskSetNotFoundException", "InvalidParameterException"):
		return nil
	case err != nil:
		return query.ExplainField("protect.ecs.taskSets", doing, err)
	case out.TaskSets == nil:
		return fmt.Errorf("%s: the answer has no list", doing)
	}
	for _, set := range out.TaskSets {
		if aws.ToString(set.TaskDefinition) == "" {
			return fmt.Errorf("%s: %s has no task definition", doing, aws.ToString(set.TaskSetArn))
		}
		s.define(set.TaskDefinition, sv.arn, user{})
	}
	return complete(doing, nil, out.TaskSets, func(set types.TaskSet) *string { return set.TaskSetArn }, out.Failures)
}

func newService(cluster string, sv types.Service) service {
	c := service{cluster: cluster, arn: aws.ToString(sv.ServiceArn), hasTaskSets: deploysTaskSets(sv.DeploymentController)}
	if d := aws.ToString(sv.CurrentServiceDeployment); d != "" {
		c.deployments = append(c.deployments, d)
	}
	for _, r := range sv.CurrentServiceRevisions {
		c.revisions = append(c.revisions, aws.ToString(r.Arn))
	}
	c.current = slices.Concat(c.deployments, c.revisions)
	return c
}

package inuse

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// A service is what is asked further about one ECS service.
type service struct {
	cluster, arn string
	// deployments and revisions are what is known of them so far: at first
	// those that the service itself names as current.
	deployments, revisions []string
	// current are the revisions that the service itself names.
	current []string
	// named is whether it names any.
	named bool
}

func (s *ecsScan) services(ctx context.Context, clusters []string) error {
	batches, err := gather(ctx, clusters, s.listServices)
	if err != nil {
		return err
	}
	services, err := gather(ctx, batches, s.describeServices)
	if err != nil {
		return err
	}
	return each(ctx, services, s.serviceRevisions)
}

func (s *ecsScan) listServices(ctx context.Context, cluster string) ([]batch, error) {
	arns, err := listed(func(token *string) ([]string, *string, error) {
		out, err := s.api.ListServices(ctx, &ecs.ListServicesInput{
			Cluster: &cluster, MaxResults: aws.Int32(maxECSPage), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.ServiceArns, out.NextToken, nil
	})
	if err != nil && !gone(err) {
		return nil, s.explain("list services in "+cluster, err)
	}
	return batches(cluster, arns, maxServices), nil
}

// describeServices notes the task definitions of services and returns those
// services that may have revisions.
func (s *ecsScan) describeServices(ctx context.Context, b batch) ([]service, error) {
	doing := "describe services in " + b.cluster
	out, err := s.api.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &b.cluster, Services: b.arns})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.explain(doing, err)
	}
	var found []service
	var arns []*string
	for _, sv := range out.Services {
		arns = append(arns, sv.ServiceArn)
		if aws.ToString(sv.Status) == "INACTIVE" {
			continue
		}
		s.defineService(sv)
		if c := current(b.cluster, sv); revised(sv, c.named) {
			found = append(found, c)
		}
	}
	return found, s.answered(doing, len(b.arns), arns, out.Failures)
}

// defineService notes the task definitions from which the service starts
// tasks: its own, those of its deployments and those of its task sets.
func (s *ecsScan) defineService(sv types.Service) {
	arn := aws.ToString(sv.ServiceArn)
	s.define(sv.TaskDefinition, arn, 0)
	for _, d := range sv.Deployments {
		s.define(d.TaskDefinition, arn, 0)
	}
	for _, set := range sv.TaskSets {
		s.define(set.TaskDefinition, arn, 0)
	}
}

// revised reports whether the service may have revisions: those that CodeDeploy
// or others deploy have task sets instead, unless they say otherwise.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
func revised(sv types.Service, named bool) bool {
	return named || sv.DeploymentController == nil ||
		sv.DeploymentController.Type != types.DeploymentControllerTypeCodeDeploy &&
			sv.DeploymentController.Type != types.DeploymentControllerTypeExternal
}

func current(cluster string, sv types.Service) service {
	c := service{cluster: cluster, arn: aws.ToString(sv.ServiceArn)}
	if d := aws.ToString(sv.CurrentServiceDeployment); d != "" {
		c.deployments = append(c.deployments, d)
	}
	for _, r := range sv.CurrentServiceRevisions {
		c.revisions = append(c.revisions, aws.ToString(r.Arn))
	}
	c.current = slices.Clone(c.revisions)
	c.named = len(c.deployments)+len(c.revisions) > 0
	return c
}

// standing returns those deployments that decide what the service runs: from
// the newest back to the last one that came to a good end. What was deployed
// before that one is history. One that does not say its time is none.
func standing(deployments []types.ServiceDeploymentBrief) []types.ServiceDeploymentBrief {
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

// createdAt is when the deployment began, or later than all times.
func createdAt(d types.ServiceDeploymentBrief) time.Time {
	if d.CreatedAt == nil {
		return time.Unix(1<<40, 0)
	}
	return *d.CreatedAt
}

package ecs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// deploymentCalls ask about the deployments and revisions of services, or of daemons.
type deploymentCalls struct {
	name string // of the deployments
	// list adds the relevant deployments and their new revisions to the service.
	list func(context.Context, *service) error
	// deployments returns the revisions in the deployments: new, old and rolled back to.
	deployments func(context.Context, service, []string) ([]string, error)
	// revisions adds the images of the revisions, or else their task definitions.
	revisions func(context.Context, service, []string) error
}

func (s *scan) serviceRevisions(ctx context.Context, sv service) error {
	if sv.hasTaskSets && len(sv.current) == 0 {
		return nil
	}
	return addRevisions(ctx, sv, deploymentCalls{"service deployments", s.listDeployments, s.describeDeployments, s.describeRevisions})
}

// addRevisions adds the images of revisions that run, are deployed or may come back.
func addRevisions(ctx context.Context, sv service, calls deploymentCalls) error {
	if err := calls.list(ctx, &sv); err != nil {
		return err
	}
	if slices.Contains(sv.deployments, "") || slices.Contains(sv.revisions, "") {
		return fmt.Errorf("list %s of %s: a deployment or revision has no ARN", calls.name, sv.arn)
	}
	for some := range slices.Chunk(distinctARNs(sv.deployments), maxVersions) {
		revisions, err := calls.deployments(ctx, sv, some)
		if err != nil {
			return err
		}
		sv.revisions = append(sv.revisions, revisions...)
	}
	for some := range slices.Chunk(distinctARNs(sv.revisions), maxVersions) {
		if err := calls.revisions(ctx, sv, some); err != nil {
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

func (s *scan) listDeployments(ctx context.Context, sv *service) error {
	deployments, err := query.List(func(token *string) (*ecs.ListServiceDeploymentsOutput, error) {
		return s.API.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
			Cluster: &sv.cluster, Service: &sv.arn, MaxResults: aws.Int32(maxPage), NextToken: token,
		}, s.errorPageOnce(len(sv.current) == 0))
	}, func(out *ecs.ListServiceDeploymentsOutput) ([]types.ServiceDeploymentBrief, *string) {
		return out.ServiceDeployments, out.NextToken
	})
	all := make([]deployment, len(deployments))
	for i, d := range deployments {
		all[i] = deployment{
			d.ServiceDeploymentArn, d.TargetServiceRevisionArn, d.CreatedAt,
			d.Status == types.ServiceDeploymentStatusSuccessful || d.Status == types.ServiceDeploymentStatusRollbackSuccessful,
		}
	}
	sv.addRelevant(all)
	if err != nil && !s.hasNoRevisions(sv, err) {
		return explain("list service deployments of "+sv.arn, err)
	}
	return nil
}

// A deployment of a service or a daemon.
type deployment struct {
	arn, target *string // of the deployment and of the revision that it deploys
	createdAt   *time.Time
	succeeded   bool // also by a rollback
}

// addRelevant adds the last successful deployment, all newer ones, and their new revisions.
func (sv *service) addRelevant(deployments []deployment) {
	slices.SortStableFunc(deployments, func(a, b deployment) int { return b.time().Compare(a.time()) })
	for _, d := range deployments {
		sv.deployments = append(sv.deployments, aws.ToString(d.arn))
		sv.revisions = append(sv.revisions, aws.ToString(d.target))
		if d.createdAt != nil && d.succeeded {
			return
		}
	}
}

func (d deployment) time() time.Time {
	if d.createdAt == nil {
		return time.Unix(1<<40, 0) // after all others
	}
	return *d.createdAt
}

// hasNoRevisions reports whether the error of listing deployments means that the service
// has no revisions: the service was deleted, or it names none and ECS does not know any.
func (s *scan) hasNoRevisions(sv *service, err error) bool {
	return gone(err) || len(sv.current) == 0 && (query.NotKnown(err) || s.unknown(err))
}

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

func (s *scan) describeRevisions(ctx context.Context, sv service, arns []string) error {
	doing := "describe service revisions of " + sv.arn
	out, err := s.API.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns})
	if err != nil {
		return explainUnlessGone(doing, err)
	}
	for _, r := range out.ServiceRevisions {
		by, definition := aws.ToString(r.ServiceRevisionArn), aws.ToString(r.TaskDefinition)
		if len(r.ContainerImages) == 0 {
			s.define(&definition, by, user{})
		}
		containers := make([]container, len(r.ContainerImages))
		for i, c := range r.ContainerImages {
			containers[i] = container{c.Image, c.ImageDigest}
		}
		if err := s.revision(sv, by, definition, containers); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	arnOf := func(r types.ServiceRevision) *string { return r.ServiceRevisionArn }
	return complete(doing, arns, out.ServiceRevisions, arnOf, out.Failures)
}

type container struct{ image, digest *string }

// revision adds the images of a revision, which has a task definition.
func (s *scan) revision(sv service, by, definition string, containers []container) error {
	if len(containers) == 0 && definition == "" {
		return fmt.Errorf("%s names neither images nor a task definition", by)
	}
	s.name(definition)
	for _, c := range containers {
		image, digest := aws.ToString(c.image), aws.ToString(c.digest)
		if image == "" && digest == "" {
			return fmt.Errorf("%s has a container without an image", by)
		}
		use := inuse.Use{By: by, Runs: digest != "" && slices.Contains(sv.current, by)}
		if err := s.container(image, digest, use); err != nil {
			return err
		}
	}
	return nil
}

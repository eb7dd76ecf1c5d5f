package inuse

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// serviceRevisions notes the images of the revisions that a service runs,
// deploys or would roll back to. Where ECS knows no revisions, the task
// definitions of the service are all there is: they name images by tag.
func (s *ecsScan) serviceRevisions(ctx context.Context, sv service) error {
	if err := s.listDeployments(ctx, &sv); err != nil {
		return err
	}
	if slices.Contains(sv.deployments, "") || slices.Contains(sv.revisions, "") {
		return fmt.Errorf("list service deployments of %s: a deployment or revision has no ARN", sv.arn)
	}
	for some := range slices.Chunk(distinctARNs(sv.deployments), maxServiceVersions) {
		revisions, err := s.describeDeployments(ctx, sv, some)
		if err != nil {
			return err
		}
		sv.revisions = append(sv.revisions, revisions...)
	}
	for some := range slices.Chunk(distinctARNs(sv.revisions), maxServiceVersions) {
		if err := s.describeRevisions(ctx, sv, some); err != nil {
			return err
		}
	}
	return nil
}

// distinctARNs sorts the ARNs and leaves each once; empty ones are none.
func distinctARNs(arns []string) []string {
	slices.Sort(arns)
	return slices.DeleteFunc(slices.Compact(arns), func(arn string) bool { return arn == "" })
}

// listDeployments adds the standing deployments to those that the service
// names, and the revisions they deploy.
func (s *ecsScan) listDeployments(ctx context.Context, sv *service) error {
	deployments, err := listed(func(token *string) ([]types.ServiceDeploymentBrief, *string, error) {
		out, err := s.api.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
			Cluster: &sv.cluster, Service: &sv.arn, MaxResults: aws.Int32(maxECSPage), NextToken: token,
		}, s.asking(*sv))
		if err != nil {
			return nil, nil, err
		}
		return out.ServiceDeployments, out.NextToken, nil
	})
	for _, d := range standing(deployments) {
		sv.deployments = append(sv.deployments, aws.ToString(d.ServiceDeploymentArn))
		sv.revisions = append(sv.revisions, aws.ToString(d.TargetServiceRevisionArn))
	}
	return s.unrevised(*sv, "list service deployments of "+sv.arn, err)
}

// unrevised explains the error of a call about revisions, unless it only says
// that there are none. Of a service that names some, only its end says that.
func (s *ecsScan) unrevised(sv service, doing string, err error) error {
	if err == nil || gone(err) || !sv.named && (notKnown(err) || s.emulated && errorPage(err)) {
		return nil
	}
	return s.explain(doing, err)
}

// asking are the options of a call about the revisions of a service. The error
// page of an emulator that does not know them must not be asked for again and
// again.
func (s *ecsScan) asking(sv service) func(*ecs.Options) {
	return func(o *ecs.Options) {
		if s.emulated && !sv.named {
			o.Retryer = answeredOnce{o.Retryer}
		}
	}
}

// answeredOnce retries what the other retries but error pages.
type answeredOnce struct{ aws.Retryer }

func (r answeredOnce) IsErrorRetryable(err error) bool {
	return !errorPage(err) && r.Retryer.IsErrorRetryable(err)
}

// describeDeployments returns the revisions that take part in deployments:
// the new one, those it replaces and the one that was rolled back to.
func (s *ecsScan) describeDeployments(ctx context.Context, sv service, arns []string) ([]string, error) {
	doing := "describe service deployments of " + sv.arn
	out, err := s.api.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns}, s.asking(sv))
	if err != nil {
		return nil, s.unrevised(sv, doing, err)
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
	return revisions, s.answered(doing, len(arns), len(out.ServiceDeployments), out.Failures)
}

func (s *ecsScan) describeRevisions(ctx context.Context, sv service, arns []string) error {
	doing := "describe service revisions of " + sv.arn
	out, err := s.api.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns}, s.asking(sv))
	if err != nil {
		return s.unrevised(sv, doing, err)
	}
	for _, r := range out.ServiceRevisions {
		by := aws.ToString(r.ServiceRevisionArn)
		if len(r.ContainerImages) == 0 { // then its task definition has to tell
			s.define(r.TaskDefinition, by, 0)
		}
		for _, image := range r.ContainerImages {
			if err := s.add(aws.ToString(image.Image), aws.ToString(image.ImageDigest), by); err != nil {
				return err
			}
		}
	}
	return s.answered(doing, len(arns), len(out.ServiceRevisions), out.Failures)
}

package inuse

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
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
		}, s.asking(sv))
		if err != nil {
			return nil, nil, err
		}
		return out.ServiceDeployments, out.NextToken, nil
	})
	for _, d := range standing(deployments) {
		sv.deployments = append(sv.deployments, aws.ToString(d.ServiceDeploymentArn))
		sv.revisions = append(sv.revisions, aws.ToString(d.TargetServiceRevisionArn))
	}
	if err != nil && !s.unrevised(sv, err) {
		return s.explain("list service deployments of "+sv.arn, err)
	}
	return nil
}

// unrevised reports whether the error of listing deployments says that there
// are none: that the service has ended or, unless it names some itself, that
// ECS knows none of it.
func (s *ecsScan) unrevised(sv *service, err error) bool {
	return gone(err) || !sv.named && (notKnown(err) || s.emulated && awsclient.IsErrorPage(err))
}

// asking are the options of listing deployments. The error page of an emulator
// that does not know them must not be asked for again and again.
func (s *ecsScan) asking(sv *service) func(*ecs.Options) {
	return func(o *ecs.Options) {
		if s.emulated && !sv.named {
			o.Retryer = awsclient.ErrorPageOnce{Retryer: o.Retryer}
		}
	}
}

// describeDeployments returns the revisions that take part in deployments:
// the new one, those it replaces and the one that was rolled back to.
func (s *ecsScan) describeDeployments(ctx context.Context, sv service, arns []string) ([]string, error) {
	doing := "describe service deployments of " + sv.arn
	out, err := s.api.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.explain(doing, err)
	}
	var revisions []string
	var found []*string
	for _, d := range out.ServiceDeployments {
		found = append(found, d.ServiceDeploymentArn)
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
	return revisions, s.answered(doing, len(arns), found, out.Failures)
}

func (s *ecsScan) describeRevisions(ctx context.Context, sv service, arns []string) error {
	doing := "describe service revisions of " + sv.arn
	out, err := s.api.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns})
	if gone(err) {
		return nil
	}
	if err != nil {
		return s.explain(doing, err)
	}
	var found []*string
	for _, r := range out.ServiceRevisions {
		found = append(found, r.ServiceRevisionArn)
		by := aws.ToString(r.ServiceRevisionArn)
		if len(r.ContainerImages) == 0 { // then its task definition has to tell
			if aws.ToString(r.TaskDefinition) == "" {
				return fmt.Errorf("%s: %s names neither images nor a task definition", doing, by)
			}
			s.define(r.TaskDefinition, by, 0)
		}
		for _, image := range r.ContainerImages {
			name, digest := aws.ToString(image.Image), aws.ToString(image.ImageDigest)
			if name == "" && digest == "" {
				return fmt.Errorf("%s: %s has a container without an image", doing, by)
			}
			use := Use{By: by, Runs: digest != "" && slices.Contains(sv.current, by)}
			if err := s.container(name, digest, use); err != nil {
				return err
			}
		}
	}
	return s.answered(doing, len(arns), found, out.Failures)
}

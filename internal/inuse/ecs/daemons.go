package ecs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// daemons adds the images of the managed daemons in the clusters, and the newest revisions
// of the daemon task definitions. A daemon runs on every instance that starts, so it is in
// use without an instance. An emulator that does not know daemons has none.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-daemons.html
func (s *scan) daemons(ctx context.Context, clusters []string) error {
	if !s.Settings.Daemons {
		return nil
	}
	daemons, err := query.Gather(ctx, clusters, s.listDaemons)
	if err != nil {
		return err
	}
	if err := query.Each(ctx, daemons, s.daemon); err != nil {
		return err
	}
	return s.daemonFamilies(ctx)
}

func explainDaemon(doing string, err error) error {
	return query.ExplainField("protect.ecs.daemons", doing, err)
}

func (s *scan) listDaemons(ctx context.Context, cluster string) ([]service, error) {
	var daemons []service
	for d, err := range query.Pages(func(token *string) (*ecs.ListDaemonsOutput, error) {
		return s.API.ListDaemons(ctx, &ecs.ListDaemonsInput{
			ClusterArn: &cluster, MaxResults: aws.Int32(maxPage), NextToken: token,
		}, s.errorPageOnce(true))
	}, func(out *ecs.ListDaemonsOutput) ([]types.DaemonSummary, *string) {
		return out.DaemonSummariesList, out.NextToken
	}) {
		switch arn := aws.ToString(d.DaemonArn); {
		case gone(err), s.unknown(err):
			return daemons, nil
		case err != nil:
			return nil, explainDaemon("list daemons in "+cluster, err)
		case arn == "":
			return nil, fmt.Errorf("list daemons in %s: a daemon has no ARN", cluster)
		default:
			daemons = append(daemons, service{cluster: cluster, arn: arn})
		}
	}
	return daemons, nil
}

// daemon adds the images of the revisions of one daemon.
func (s *scan) daemon(ctx context.Context, d service) error {
	doing := "describe daemon " + d.arn
	out, err := s.API.DescribeDaemon(ctx, &ecs.DescribeDaemonInput{DaemonArn: &d.arn})
	switch {
	case gone(err):
		return nil
	case err != nil:
		return explainDaemon(doing, err)
	case out.Daemon == nil:
		return fmt.Errorf("%s: the answer has no daemon", doing)
	}
	if arn := aws.ToString(out.Daemon.DeploymentArn); arn != "" {
		d.deployments = append(d.deployments, arn)
	}
	for _, r := range out.Daemon.CurrentRevisions {
		d.revisions = append(d.revisions, aws.ToString(r.Arn))
	}
	d.current = d.revisions
	if len(d.revisions)+len(d.deployments) == 0 && out.Daemon.Status != types.DaemonStatusDeleteInProgress {
		return fmt.Errorf("%s: the answer names neither a revision nor a deployment", doing)
	}
	return addRevisions(ctx, d, deploymentCalls{
		"daemon deployments", s.listDaemonDeployments, s.describeDaemonDeployments, s.describeDaemonRevisions,
	})
}

func (s *scan) listDaemonDeployments(ctx context.Context, d *service) error {
	deployments, err := query.List(func(token *string) (*ecs.ListDaemonDeploymentsOutput, error) {
		return s.API.ListDaemonDeployments(ctx, &ecs.ListDaemonDeploymentsInput{
			DaemonArn: &d.arn, MaxResults: aws.Int32(maxPage), NextToken: token,
		}, s.errorPageOnce(true))
	}, func(out *ecs.ListDaemonDeploymentsOutput) ([]types.DaemonDeploymentSummary, *string) {
		return out.DaemonDeployments, out.NextToken
	})
	if err != nil && !gone(err) && !s.unknown(err) {
		return explainDaemon("list daemon deployments of "+d.arn, err)
	}
	all := make([]deployment, len(deployments))
	for i, dd := range deployments {
		all[i] = deployment{
			dd.DaemonDeploymentArn, dd.TargetDaemonRevisionArn, dd.CreatedAt,
			dd.Status == types.DaemonDeploymentStatusSuccessful || dd.Status == types.DaemonDeploymentStatusRollbackSuccessful,
		}
	}
	d.addRelevant(all)
	return nil
}

func (s *scan) describeDaemonDeployments(ctx context.Context, d service, arns []string) ([]string, error) {
	doing := "describe daemon deployments of " + d.arn
	out, err := s.API.DescribeDaemonDeployments(ctx, &ecs.DescribeDaemonDeploymentsInput{DaemonDeploymentArns: arns})
	switch {
	case gone(err):
		return nil, nil
	case err != nil:
		return nil, explainDaemon(doing, err)
	}
	var revisions []string
	for _, dd := range out.DaemonDeployments {
		for _, source := range dd.SourceDaemonRevisions {
			revisions = append(revisions, aws.ToString(source.Arn))
		}
		if dd.TargetDaemonRevision != nil {
			revisions = append(revisions, aws.ToString(dd.TargetDaemonRevision.Arn))
		}
		if dd.Rollback != nil {
			revisions = append(revisions, aws.ToString(dd.Rollback.RollbackTargetDaemonRevisionArn))
		}
	}
	arnOf := func(dd types.DaemonDeployment) *string { return dd.DaemonDeploymentArn }
	return revisions, complete(doing, arns, out.DaemonDeployments, arnOf, out.Failures)
}

// describeDaemonRevisions adds the images of the revisions and their task definitions. A
// daemon may run with a deleted one, which only a revision without images needs.
func (s *scan) describeDaemonRevisions(ctx context.Context, d service, arns []string) error {
	doing := "describe daemon revisions of " + d.arn
	out, err := s.API.DescribeDaemonRevisions(ctx, &ecs.DescribeDaemonRevisionsInput{DaemonRevisionArns: arns})
	switch {
	case gone(err):
		return nil
	case err != nil:
		return explainDaemon(doing, err)
	}
	for _, r := range out.DaemonRevisions {
		by := aws.ToString(r.DaemonRevisionArn)
		s.define(r.DaemonTaskDefinitionArn, by, user{optional: len(r.ContainerImages) > 0})
		containers := make([]container, len(r.ContainerImages))
		for i, c := range r.ContainerImages {
			containers[i] = container{c.Image, c.ImageDigest}
		}
		if err := s.revision(d, by, aws.ToString(r.DaemonTaskDefinitionArn), containers); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	arnOf := func(r types.DaemonRevision) *string { return r.DaemonRevisionArn }
	return complete(doing, arns, out.DaemonRevisions, arnOf, out.Failures)
}

// daemonFamilies adds the newest daemon task definitions of all families.
func (s *scan) daemonFamilies(ctx context.Context) error {
	if s.Revisions == 0 {
		return nil
	}
	revisions := map[string]int{} // by family
	for d, err := range query.Pages(func(token *string) (*ecs.ListDaemonTaskDefinitionsOutput, error) {
		return s.API.ListDaemonTaskDefinitions(ctx, &ecs.ListDaemonTaskDefinitionsInput{
			Status: types.DaemonTaskDefinitionStatusFilterActive, Sort: types.SortOrderDesc,
			MaxResults: aws.Int32(maxPage), NextToken: token,
		}, s.errorPageOnce(true))
	}, func(out *ecs.ListDaemonTaskDefinitionsOutput) ([]types.DaemonTaskDefinitionSummary, *string) {
		return out.DaemonTaskDefinitions, out.NextToken
	}) {
		arn := aws.ToString(d.Arn)
		switch family := familyOf(arn); {
		case s.unknown(err):
			return nil
		case err != nil:
			return explainDaemon("list daemon task definitions", err)
		case arn == "":
			return fmt.Errorf("list daemon task definitions: a daemon task definition has no ARN")
		case revisions[family] < s.Revisions:
			revisions[family]++
			s.define(&arn, arn, user{revision: revisions[family], optional: true})
		}
	}
	return nil
}

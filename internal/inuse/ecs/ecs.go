// Package ecs is the in-use source for Amazon ECS. It takes the ECS API of one Region and
// returns the uses of the images in
//
//   - the tasks of all clusters, running or stopped, by the recorded digests;
//   - the service revisions that a service runs, deploys or would roll back to, by their
//     digests, at any desired count;
//   - the task definitions of running tasks and of services;
//   - the newest revisions of all active task definition families.
package ecs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// API is the part of the ECS client that the source calls.
type API interface {
	ecs.ListClustersAPIClient
	ecs.ListTasksAPIClient
	ecs.DescribeTasksAPIClient
	ecs.ListServicesAPIClient
	ecs.DescribeServicesAPIClient
	ecs.ListTaskDefinitionFamiliesAPIClient
	ecs.ListTaskDefinitionsAPIClient
	DescribeTaskDefinition(context.Context, *ecs.DescribeTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
	ListServiceDeployments(context.Context, *ecs.ListServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.ListServiceDeploymentsOutput, error)
	DescribeServiceDeployments(context.Context, *ecs.DescribeServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.DescribeServiceDeploymentsOutput, error)
	DescribeServiceRevisions(context.Context, *ecs.DescribeServiceRevisionsInput, ...func(*ecs.Options)) (*ecs.DescribeServiceRevisionsOutput, error)
}

// Actions are the IAM actions for the calls of [API].
var Actions = []string{
	"ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions", "ecs:DescribeServices",
	"ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListClusters", "ecs:ListServiceDeployments",
	"ecs:ListServices", "ecs:ListTaskDefinitionFamilies", "ecs:ListTaskDefinitions", "ecs:ListTasks",
}

const name = "ecs" // in protect.inUse

// A Source skips clusters, services and tasks that are deleted during the scan.
type Source struct {
	API       API
	Revisions int  // so many of the newest of each task definition family are in use although nothing runs them
	Emulated  bool // by an emulator, which may answer a call that it does not know with an error page
}

// New returns the source for the environment.
func New(env query.Environment) inuse.Source {
	client := ecs.NewFromConfig(env.AWS)
	return Source{client, env.Settings.TaskDefinitionRevisions, awsclient.IsEmulated(client.Options().BaseEndpoint)}
}

// Name returns "ecs".
func (Source) Name() string { return name }

// Uses queries ECS.
func (s Source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		return (&scan{Source: s, Collector: c, definitions: map[string]map[string]int{}}).run(ctx)
	})
}

// A scan is one pass over ECS. A task that ends or a deployment that begins during the scan
// is in a later step.
type scan struct {
	Source
	*inuse.Collector
	mu          sync.Mutex
	definitions map[string]map[string]int // the task definitions to describe, their users and the Revision of each use
}

func (s *scan) run(ctx context.Context) error {
	clusters, err := query.List(func(token *string) (*ecs.ListClustersOutput, error) {
		return s.API.ListClusters(ctx, &ecs.ListClustersInput{MaxResults: aws.Int32(maxPage), NextToken: token})
	}, func(out *ecs.ListClustersOutput) ([]string, *string) { return out.ClusterArns, out.NextToken })
	if err != nil {
		return explain("list clusters", err)
	}
	if err := s.tasks(ctx, clusters); err != nil {
		return err
	}
	if err := s.services(ctx, clusters); err != nil {
		return err
	}
	if err := s.families(ctx); err != nil {
		return err
	}
	return query.Each(ctx, slices.Collect(maps.Keys(s.definitions)), s.describeDefinition)
}

// The maximum numbers of items in one call.
const (
	maxPage     = 100 // of any listing
	maxTasks    = 100 // of DescribeTasks
	maxServices = 10  // of DescribeServices
	maxVersions = 20  // of DescribeServiceDeployments and DescribeServiceRevisions
)

// container adds the image of a container. If the image's name is not a reference, a
// recorded digest is in use in any repository.
func (s *scan) container(image, digest string, use inuse.Use) error {
	err := s.Add(image, digest, use)
	if !errors.Is(err, reference.ErrNoReference) {
		return err
	}
	use.Problem, use.Runs = fmt.Sprintf("its image is %.200q, which is not a reference", image), false
	if image == "" {
		use.Problem = "a container names neither image nor digest"
	}
	s.AddKnown(use)
	if digest == "" {
		return nil
	}
	use.Problem = ""
	return s.Add("", digest, use)
}

func explain(doing string, err error) error { return query.Explain(name, doing, err) }

// explainUnlessGone is explain, but returns nil if the cluster or service was deleted.
func explainUnlessGone(doing string, err error) error {
	if err == nil || gone(err) {
		return nil
	}
	return explain(doing, err)
}

// gone reports whether the cluster or service was deleted after it was listed.
func gone(err error) bool {
	return query.HasCode(err, "ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException")
}

// complete checks that the items found and the failures in an answer cover every requested
// ARN. A failure with the reason MISSING is an item that was deleted; any other failure is
// an error. An item without an ARN does not count.
func complete[T any](doing string, requested []string, found []T, arnOf func(T) *string, failures []types.Failure) error {
	covered := map[string]bool{}
	for _, f := range failures {
		if reason := aws.ToString(f.Reason); reason != "MISSING" {
			return fmt.Errorf("%s: %s failed with %s %s", doing, aws.ToString(f.Arn), reason, aws.ToString(f.Detail))
		}
		covered[aws.ToString(f.Arn)] = true
	}
	for _, item := range found {
		covered[aws.ToString(arnOf(item))] = true
	}
	delete(covered, "")
	if len(covered) < len(requested) {
		return fmt.Errorf("%s: the answer covers %d of %d", doing, len(covered), len(requested))
	}
	return nil
}

// Package ecs is the in-use source for Amazon ECS. It takes the ECS API of one Region and
// returns the uses of the images in
//
//   - the tasks of all clusters, running or stopped, by the recorded digests;
//   - the revisions that a service or a managed daemon runs, deploys or would roll back to,
//     by their digests, at any number of tasks;
//   - the task definitions of running tasks, of services, task sets and daemons, and those
//     that are named outside ECS, such as by an EventBridge rule;
//   - the newest revisions of all active task definition families.
package ecs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/pinned"
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
	DescribeTaskSets(context.Context, *ecs.DescribeTaskSetsInput, ...func(*ecs.Options)) (*ecs.DescribeTaskSetsOutput, error)
	DaemonAPI
}

// DaemonAPI is the part of the ECS client for managed daemons.
type DaemonAPI interface {
	ListDaemons(context.Context, *ecs.ListDaemonsInput, ...func(*ecs.Options)) (*ecs.ListDaemonsOutput, error)
	ListDaemonDeployments(context.Context, *ecs.ListDaemonDeploymentsInput, ...func(*ecs.Options)) (*ecs.ListDaemonDeploymentsOutput, error)
	ListDaemonTaskDefinitions(context.Context, *ecs.ListDaemonTaskDefinitionsInput, ...func(*ecs.Options)) (*ecs.ListDaemonTaskDefinitionsOutput, error)
	DescribeDaemon(context.Context, *ecs.DescribeDaemonInput, ...func(*ecs.Options)) (*ecs.DescribeDaemonOutput, error)
	DescribeDaemonDeployments(context.Context, *ecs.DescribeDaemonDeploymentsInput, ...func(*ecs.Options)) (*ecs.DescribeDaemonDeploymentsOutput, error)
	DescribeDaemonRevisions(context.Context, *ecs.DescribeDaemonRevisionsInput, ...func(*ecs.Options)) (*ecs.DescribeDaemonRevisionsOutput, error)
	DescribeDaemonTaskDefinition(context.Context, *ecs.DescribeDaemonTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DescribeDaemonTaskDefinitionOutput, error)
}

// Actions are the IAM actions for the calls of [API].
var Actions = []string{
	"ecs:DescribeDaemon", "ecs:DescribeDaemonDeployments", "ecs:DescribeDaemonRevisions", "ecs:DescribeDaemonTaskDefinition",
	"ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions", "ecs:DescribeServices", "ecs:DescribeTaskDefinition",
	"ecs:DescribeTaskSets", "ecs:DescribeTasks", "ecs:ListClusters", "ecs:ListDaemonDeployments",
	"ecs:ListDaemonTaskDefinitions", "ecs:ListDaemons", "ecs:ListServiceDeployments", "ecs:ListServices",
	"ecs:ListTaskDefinitionFamilies", "ecs:ListTaskDefinitions", "ecs:ListTasks",
}

const name = "ecs" // in protect.inUse

// A Source skips clusters, services, daemons and tasks that are deleted during the scan.
type Source struct {
	API       API
	Settings  config.ECS
	Revisions int  // so many of the newest of each task definition family are in use although nothing runs them
	Emulated  bool // by an emulator, which may answer a call that it does not know with an error page
	// Pins returns the task definitions that are named outside ECS. It takes the ARNs of
	// all clusters. Nil means that there are none.
	Pins func(ctx context.Context, clusters []string) ([]Pin, error)
	// Aliases and LastActivity are those of [query.Environment].
	Aliases      reference.Aliases
	LastActivity func(ctx context.Context, images []reference.Reference) (map[reference.Reference]time.Time, error)
}

// A Pin is a task definition that a rule, schedule, pipe or state machine names. Without a
// revision it is the newest active one.
type Pin = pinned.Definition

// New returns the source for the environment.
func New(env query.Environment) inuse.Source {
	client := ecs.NewFromConfig(env.AWS)
	return Source{
		API: client, Settings: env.Settings.ECS, Revisions: env.Settings.TaskDefinitionRevisions,
		Emulated: awsclient.IsEmulated(client.Options().BaseEndpoint),
		Aliases:  env.Aliases, LastActivity: env.LastActivity,
		Pins: func(ctx context.Context, clusters []string) ([]Pin, error) { return pinned.Find(ctx, env, clusters) },
	}
}

// Name returns "ecs".
func (Source) Name() string { return name }

// Uses queries ECS.
func (s Source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		return (&scan{Source: s, Collector: c, definitions: map[string]*definition{}, named: map[string]bool{}}).run(ctx)
	})
}

// A scan is one pass over ECS. A task that ends or a deployment that begins during the scan
// is in a later step.
type scan struct {
	Source
	*inuse.Collector
	mu          sync.Mutex
	definitions map[string]*definition // by ARN, or by the name in a Pin
	named       map[string]bool        // the families that something names
}

func (s *scan) run(ctx context.Context) error {
	clusters, err := query.List(func(token *string) (*ecs.ListClustersOutput, error) {
		return s.API.ListClusters(ctx, &ecs.ListClustersInput{MaxResults: aws.Int32(maxPage), NextToken: token})
	}, func(out *ecs.ListClustersOutput) ([]string, *string) { return out.ClusterArns, out.NextToken })
	if err := errors.Join(err, named(clusters...)); err != nil {
		return explain("list clusters", err)
	}
	for _, step := range []func(context.Context, []string) error{s.tasks, s.services, s.daemons, s.pins, s.families} {
		if err := step(ctx, clusters); err != nil {
			return err
		}
	}
	if err := query.Each(ctx, slices.Collect(maps.Values(s.definitions)), s.describeDefinition); err != nil {
		return err
	}
	return s.addDefinitions(ctx)
}

// pins adds the task definitions that are named outside ECS. They may be deleted. ECS is
// not documented to describe an ARN without a revision, so it gets the family in its place.
func (s *scan) pins(ctx context.Context, clusters []string) error {
	if s.Pins == nil {
		return nil
	}
	pins, err := s.Pins(ctx, clusters)
	for _, pin := range pins {
		if pin.TaskDefinition == "" {
			return fmt.Errorf("%s names no task definition", pin.By)
		}
		name := pin.TaskDefinition
		if family := familyOf(name); strings.HasSuffix(name, ":task-definition/"+family) {
			name = family
		}
		s.define(&name, pin.By, user{optional: true})
	}
	return err
}

// The maximum numbers of items in one call.
const (
	maxPage     = 100 // of any listing
	maxTasks    = 100 // of DescribeTasks
	maxServices = 10  // of DescribeServices
	maxVersions = 20  // of the calls that describe deployments or revisions
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

// named returns an error if one of the listed names is empty.
func named(names ...string) error {
	if slices.Contains(names, "") {
		return errors.New("the answer has an empty name")
	}
	return nil
}

func explain(doing string, err error) error { return query.Explain(name, doing, err) }

// explainUnlessGone is explain, but returns nil if the cluster or service was deleted.
func explainUnlessGone(doing string, err error) error {
	if err == nil || gone(err) {
		return nil
	}
	return explain(doing, err)
}

// gone reports whether the cluster, service or daemon was deleted after it was listed.
func gone(err error) bool {
	return query.HasCode(err, "ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException",
		"DaemonNotFoundException", "DaemonNotActiveException")
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

// Package ecs is the in-use source for Amazon ECS. It takes the ECS API of one Region
// and returns a use of each image that ECS runs, deploys or may start next:
//
//   - The images of the tasks of all clusters, running or stopped and still listed, by
//     the digests that ECS recorded when it started them.
//   - The images of the service revisions that a service runs, deploys or would roll back
//     to, by their digests, whatever the desired count of the service.
//   - The images in the task definitions of running tasks and of services.
//   - The images in the newest revisions of every active task definition family.
package ecs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
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

// name is the entry of protect.inUse.
const name = "ecs"

// A Source is the in-use source. It does not miss images of clusters, services and
// tasks that end during the scan.
type Source struct {
	API API
	// Revisions is how many of the newest revisions of each task definition family are in
	// use although nothing runs them; 0 for none.
	Revisions int
	// Emulated is true when the API is an emulator. An emulator that answers a call about
	// service revisions with an error page has no revisions. From AWS an error page is an
	// error.
	Emulated bool
}

// New returns the source for a Region and the settings of the configuration.
func New(cfg aws.Config, settings config.Protect) inuse.Source {
	client := ecs.NewFromConfig(cfg)
	return Source{client, settings.TaskDefinitionRevisions, awsclient.IsEmulated(client.Options().BaseEndpoint)}
}

// Name returns "ecs".
func (Source) Name() string { return name }

// Uses queries ECS.
func (s Source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		return (&scan{Source: s, Collector: c, definitions: map[string]map[string]int{}}).run(ctx)
	})
}

// A scan is one pass over ECS. Its order matters: a task that ends, or a deployment that
// begins, during the scan is in the result of a later step.
type scan struct {
	Source
	*inuse.Collector
	// definitions are the task definitions to describe. Each has its users, and each user
	// has the Revision of its use.
	mu          sync.Mutex
	definitions map[string]map[string]int
}

func (s *scan) run(ctx context.Context) error {
	clusters, err := inuse.List(func(token *string) (*ecs.ListClustersOutput, error) {
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
	return s.describeDefinitions(ctx)
}

// The maximum numbers of items in one call.
const (
	maxPage     = 100 // of any listing
	maxTasks    = 100 // of DescribeTasks
	maxServices = 10  // of DescribeServices
	maxVersions = 20  // of DescribeServiceDeployments and DescribeServiceRevisions
)

// container adds the image of a container, started or not. ECS cannot pull an image whose
// name is not a reference. A digest that ECS recorded for the container is then in use in
// any repository.
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

func explain(doing string, err error) error { return inuse.Explain(name, doing, err) }

// gone reports whether the cluster or service of a call was deleted after it was
// listed. A deleted cluster or service uses no image.
func gone(err error) bool {
	return inuse.HasCode(err, "ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException")
}

// complete checks that the answer to a call covers every requested item; found are the
// ARNs of the items in the answer. A failure is an error, unless its reason is MISSING:
// then the item was deleted. An answer that repeats an item may lack another.
func complete(doing string, requested int, found []*string, failures []types.Failure) error {
	covered := map[string]bool{}
	for _, f := range failures {
		if reason := aws.ToString(f.Reason); reason != "MISSING" {
			return fmt.Errorf("%s: %s failed with %s %s", doing, aws.ToString(f.Arn), reason, aws.ToString(f.Detail))
		}
		covered[aws.ToString(f.Arn)] = true
	}
	for _, arn := range found {
		covered[aws.ToString(arn)] = true
	}
	delete(covered, "") // an item without an ARN may be any item
	if len(covered) < requested {
		return fmt.Errorf("%s: the answer is about %d of %d", doing, len(covered), requested)
	}
	return nil
}

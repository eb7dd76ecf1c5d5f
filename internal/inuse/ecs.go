package inuse

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// ECSAPI is the part of the ECS client that the source calls. The role needs
// these actions.
type ECSAPI interface {
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

var _ ECSAPI = (*ecs.Client)(nil)

// ECS is the source of what Amazon ECS uses in one Region:
//
//   - the images of the tasks of all clusters, running or stopped and still
//     listed, each by the digest that was recorded when it started;
//   - those of the service revisions that services run, deploy or would roll
//     back to, by their digests, whatever the desired count;
//   - those that the task definitions of running tasks and of services name,
//     which is what they would start next;
//   - those that the newest revisions of every active task definition family
//     name.
type ECS struct {
	api       ECSAPI
	revisions int
	emulated  bool
}

// NewECS returns the source. Revisions is how many of the newest revisions of
// a task definition family count as in use though nothing runs them; 0 is
// none. Emulated is whether an emulator stands for ECS: then an error page in
// answer to a question about service revisions says that there are none, while
// that of ECS itself is an error.
func NewECS(api ECSAPI, revisions int, emulated bool) ECS { return ECS{api, revisions, emulated} }

// Name returns the entry of protect.inUse.
func (ECS) Name() string { return "ecs" }

// Uses asks ECS. Clusters, services and tasks that go while it does are not
// missed.
func (e ECS) Uses(ctx context.Context) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		s := ecsScan{ECS: e, definitions: map[string]map[string]int{}}
		err := s.run(ctx)
		s.yield(err, yield)
	}
}

// An ecsScan is one pass over ECS. Its steps go from what passes to what
// stays: a task that ends and a deployment that begins meanwhile are seen by a
// later step.
type ecsScan struct {
	ECS
	collector
	// definitions are the task definitions to look into, each with those that
	// use it, and these with the Revision of the use.
	mu          sync.Mutex
	definitions map[string]map[string]int
}

func (s *ecsScan) run(ctx context.Context) error {
	clusters, err := listed(func(token *string) ([]string, *string, error) {
		out, err := s.api.ListClusters(ctx, &ecs.ListClustersInput{MaxResults: aws.Int32(maxECSPage), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.ClusterArns, out.NextToken, nil
	})
	if err != nil {
		return s.explain("list clusters", err)
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

// The most that ECS takes or gives in one call.
const (
	maxECSPage         = 100 // of any listing
	maxTasks           = 100 // of DescribeTasks
	maxServices        = 10  // of DescribeServices
	maxServiceVersions = 20  // of DescribeServiceDeployments and DescribeServiceRevisions
)

// A batch is what one call describes.
type batch struct {
	cluster string
	arns    []string
}

// container notes the image of a container, started or not. If its name is no
// reference, ECS cannot pull it by that name, but a digest that is recorded with it is
// in use in whichever repository it is.
func (s *ecsScan) container(image, digest string, use Use) error {
	err := s.addUse(image, digest, use)
	if !errors.Is(err, reference.ErrNoReference) {
		return err
	}
	use.Problem, use.Runs = fmt.Sprintf("its image is %.200q, which is no reference", image), false
	if image == "" {
		use.Problem = "a container names neither image nor digest"
	}
	s.note(make([]reference.Reference, 1), use)
	if digest == "" {
		return nil
	}
	use.Problem = ""
	return s.addUse("", digest, use)
}

func (s *ecsScan) explain(doing string, err error) error {
	return explain(`"ecs" out of protect.inUse`, doing, err)
}

// gone reports whether the cluster or service of a call was deleted after it was
// listed. A deleted cluster or service uses no image.
func gone(err error) bool {
	return hasCode(err, "ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException")
}

// answered checks that the answer to a call covers every item of the request; found are
// the items of the answer. A failure is an error unless its reason is MISSING: then the
// item is gone. An answer that repeats one item may lack another.
func (s *ecsScan) answered(doing string, asked int, found []*string, failures []types.Failure) error {
	for _, f := range failures {
		if reason := aws.ToString(f.Reason); reason != "MISSING" {
			return fmt.Errorf("%s: %s failed with %s %s", doing, aws.ToString(f.Arn), reason, aws.ToString(f.Detail))
		}
	}
	about := map[string]bool{}
	for _, f := range failures {
		found = append(found, f.Arn)
	}
	for _, arn := range found {
		about[aws.ToString(arn)] = true
	}
	delete(about, "") // an item without a name may be any item
	if len(about) < asked {
		return fmt.Errorf("%s: the answer is about %d of %d", doing, len(about), asked)
	}
	return nil
}

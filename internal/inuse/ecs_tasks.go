package inuse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func (s *ecsScan) tasks(ctx context.Context, clusters []string) error {
	batches, err := gather(ctx, clusters, s.listTasks)
	if err != nil {
		return err
	}
	return each(ctx, batches, s.describeTasks)
}

// listTasks lists running tasks before stopped ones, so that one that stops
// meanwhile is among either. Tasks that are pending count as running.
func (s *ecsScan) listTasks(ctx context.Context, cluster string) ([]batch, error) {
	var arns []string
	for _, status := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		some, err := listed(func(token *string) ([]string, *string, error) {
			out, err := s.api.ListTasks(ctx, &ecs.ListTasksInput{
				Cluster: &cluster, DesiredStatus: status, MaxResults: aws.Int32(maxECSPage), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.TaskArns, out.NextToken, nil
		})
		if err != nil && !gone(err) {
			return nil, s.explain("list tasks in "+cluster, err)
		}
		arns = append(arns, some...)
	}
	return batches(cluster, arns, maxTasks), nil
}

// batches splits the ARNs, each of them once, into groups of at most size.
func batches(cluster string, arns []string, size int) []batch {
	slices.Sort(arns)
	var split []batch
	for some := range slices.Chunk(slices.Compact(arns), size) {
		split = append(split, batch{cluster, some})
	}
	return split
}

func (s *ecsScan) describeTasks(ctx context.Context, b batch) error {
	doing := "describe tasks in " + b.cluster
	out, err := s.api.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &b.cluster, Tasks: b.arns})
	if gone(err) {
		return nil
	}
	if err != nil {
		return s.explain(doing, err)
	}
	var found []*string
	for _, task := range out.Tasks {
		found = append(found, task.TaskArn)
		if err := s.task(task); err != nil {
			return err
		}
	}
	return s.answered(doing, len(b.arns), found, out.Failures)
}

// task notes what the containers of a task were started from and, unless it is
// to stop, its task definition. That of a stopped task may be deleted.
func (s *ecsScan) task(task types.Task) error {
	arn := aws.ToString(task.TaskArn)
	stops := aws.ToString(task.DesiredStatus) == string(types.DesiredStatusStopped)
	for _, container := range task.Containers {
		image, digest, use := aws.ToString(container.Image), aws.ToString(container.ImageDigest), Use{By: arn, Runs: runs(task, container)}
		if image == "" && digest == "" && !use.Runs && !stops && aws.ToString(task.TaskDefinitionArn) != "" {
			continue // its task definition names the image of the container
		}
		if err := s.container(image, digest, use); err != nil {
			return err
		}
	}
	if !stops && len(task.Containers) == 0 && aws.ToString(task.TaskDefinitionArn) == "" {
		return fmt.Errorf("%s names neither containers nor a task definition", arn)
	}
	if !stops {
		s.define(task.TaskDefinitionArn, aws.ToString(task.TaskDefinitionArn), 0)
	}
	return nil
}

// runs reports whether the container has been started and is not about to stop. Then
// ECS should have recorded its digest.
func runs(task types.Task, container types.Container) bool {
	const running = string(types.DesiredStatusRunning)
	return aws.ToString(task.DesiredStatus) == running && aws.ToString(container.LastStatus) == running
}

// define notes that a task definition is used by something, and the Revision
// of the use, of several the least.
func (s *ecsScan) define(definition *string, by string, revision int) {
	arn := aws.ToString(definition)
	if arn == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.definitions[arn] == nil {
		s.definitions[arn] = map[string]int{}
	}
	if noted, known := s.definitions[arn][by]; !known || revision < noted {
		s.definitions[arn][by] = revision
	}
}

func (s *ecsScan) describeDefinitions(ctx context.Context) error {
	return each(ctx, slices.Collect(maps.Keys(s.definitions)), s.describeDefinition)
}

func (s *ecsScan) describeDefinition(ctx context.Context, arn string) error {
	out, err := s.api.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &arn})
	if err != nil {
		return s.explain("describe task definition "+arn, err)
	}
	if out.TaskDefinition == nil || len(out.TaskDefinition.ContainerDefinitions) == 0 {
		return fmt.Errorf("describe task definition %s: the answer has no containers", arn)
	}
	for _, container := range out.TaskDefinition.ContainerDefinitions {
		if aws.ToString(container.Image) == "" {
			return fmt.Errorf("describe task definition %s: the answer has a container without an image", arn)
		}
		for by, revision := range s.definitions[arn] {
			if err := s.container(aws.ToString(container.Image), "", Use{By: by, Revision: revision}); err != nil {
				return err
			}
		}
	}
	return nil
}

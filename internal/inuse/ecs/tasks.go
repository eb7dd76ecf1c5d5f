package ecs

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

func (s *scan) tasks(ctx context.Context, clusters []string) error {
	batches, err := inuse.Gather(ctx, clusters, s.listTasks)
	if err != nil {
		return err
	}
	return inuse.Each(ctx, batches, s.describeTasks)
}

// listTasks lists running and pending tasks before stopped ones: a task that stops in
// between is in one of the lists.
func (s *scan) listTasks(ctx context.Context, cluster string) ([]batch, error) {
	var arns []string
	for _, status := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		some, err := inuse.List(func(token *string) (*ecs.ListTasksOutput, error) {
			return s.API.ListTasks(ctx, &ecs.ListTasksInput{
				Cluster: &cluster, DesiredStatus: status, MaxResults: aws.Int32(maxPage), NextToken: token,
			})
		}, func(out *ecs.ListTasksOutput) ([]string, *string) { return out.TaskArns, out.NextToken })
		if err != nil && !gone(err) {
			return nil, explain("list tasks in "+cluster, err)
		}
		arns = append(arns, some...)
	}
	return batches(cluster, arns, maxTasks), nil
}

// A batch is the input of one describe call.
type batch struct {
	cluster string
	arns    []string
}

// batches splits the distinct ARNs into batches of at most size.
func batches(cluster string, arns []string, size int) []batch {
	slices.Sort(arns)
	var split []batch
	for some := range slices.Chunk(slices.Compact(arns), size) {
		split = append(split, batch{cluster, some})
	}
	return split
}

func (s *scan) describeTasks(ctx context.Context, b batch) error {
	doing := "describe tasks in " + b.cluster
	out, err := s.API.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &b.cluster, Tasks: b.arns})
	if gone(err) {
		return nil
	}
	if err != nil {
		return explain(doing, err)
	}
	var found []*string
	for _, task := range out.Tasks {
		found = append(found, task.TaskArn)
		if err := s.task(task); err != nil {
			return err
		}
	}
	return complete(doing, len(b.arns), found, out.Failures)
}

// task adds the images of the containers of a task. Unless the task stops, it also adds
// the task definition to the definitions; that of a stopped task may be deleted.
func (s *scan) task(task types.Task) error {
	arn, definition := aws.ToString(task.TaskArn), aws.ToString(task.TaskDefinitionArn)
	stops := aws.ToString(task.DesiredStatus) == string(types.DesiredStatusStopped)
	for _, container := range task.Containers {
		image, digest := aws.ToString(container.Image), aws.ToString(container.ImageDigest)
		use := inuse.Use{By: arn, Runs: runs(task, container)}
		if image == "" && digest == "" && !use.Runs && !stops && definition != "" {
			continue // the task definition names the image of the container
		}
		if err := s.container(image, digest, use); err != nil {
			return err
		}
	}
	if stops {
		return nil
	}
	if len(task.Containers) == 0 && definition == "" {
		return fmt.Errorf("%s names neither containers nor a task definition", arn)
	}
	s.define(&definition, definition, 0)
	return nil
}

// runs reports whether the container has been started and is not about to stop. Then
// ECS should have recorded its digest.
func runs(task types.Task, container types.Container) bool {
	const running = string(types.DesiredStatusRunning)
	return aws.ToString(task.DesiredStatus) == running && aws.ToString(container.LastStatus) == running
}

// define adds a task definition and its user to the definitions, with the Revision of the
// use. Of several revisions with the same user it keeps the smallest.
func (s *scan) define(definition *string, by string, revision int) {
	arn := aws.ToString(definition)
	if arn == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.definitions[arn] == nil {
		s.definitions[arn] = map[string]int{}
	}
	if other, known := s.definitions[arn][by]; !known || revision < other {
		s.definitions[arn][by] = revision
	}
}

func (s *scan) describeDefinitions(ctx context.Context) error {
	return inuse.Each(ctx, slices.Collect(maps.Keys(s.definitions)), s.describeDefinition)
}

func (s *scan) describeDefinition(ctx context.Context, arn string) error {
	out, err := s.API.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &arn})
	if err != nil {
		return explain("describe task definition "+arn, err)
	}
	if out.TaskDefinition == nil || len(out.TaskDefinition.ContainerDefinitions) == 0 {
		return fmt.Errorf("describe task definition %s: the answer has no containers", arn)
	}
	for _, container := range out.TaskDefinition.ContainerDefinitions {
		if aws.ToString(container.Image) == "" {
			return fmt.Errorf("describe task definition %s: the answer has a container without an image", arn)
		}
		for by, revision := range s.definitions[arn] {
			if err := s.container(aws.ToString(container.Image), "", inuse.Use{By: by, Revision: revision}); err != nil {
				return err
			}
		}
	}
	return nil
}

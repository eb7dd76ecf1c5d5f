package ecs

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

func (s *scan) tasks(ctx context.Context, clusters []string) error {
	batches, err := query.Gather(ctx, clusters, s.listTasks)
	if err != nil {
		return err
	}
	return query.Each(ctx, batches, s.describeTasks)
}

// listTasks lists stopped tasks last, in order not to miss a task that stops in between.
func (s *scan) listTasks(ctx context.Context, cluster string) ([]batch, error) {
	var arns []string
	for _, status := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		some, err := query.List(func(token *string) (*ecs.ListTasksOutput, error) {
			return s.API.ListTasks(ctx, &ecs.ListTasksInput{
				Cluster: &cluster, DesiredStatus: status, MaxResults: aws.Int32(maxPage), NextToken: token,
			})
		}, func(out *ecs.ListTasksOutput) ([]string, *string) { return out.TaskArns, out.NextToken })
		if err := explainUnlessGone("list tasks in "+cluster, err); err != nil {
			return nil, err
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
	if err != nil {
		return explainUnlessGone(doing, err)
	}
	for _, task := range out.Tasks {
		if err := s.task(task); err != nil {
			return err
		}
	}
	return complete(doing, b.arns, out.Tasks, func(t types.Task) *string { return t.TaskArn }, out.Failures)
}

// task adds the images of the containers of a task and, unless the task stops, its task
// definition. The task definition of a stopped task may be deleted.
func (s *scan) task(task types.Task) error {
	arn, definition := aws.ToString(task.TaskArn), aws.ToString(task.TaskDefinitionArn)
	const running, stopped = string(types.DesiredStatusRunning), string(types.DesiredStatusStopped)
	status := aws.ToString(task.DesiredStatus)
	described := definition != "" && status != stopped && (s.Settings.Daemons || !isDaemon(definition))
	required := !isDaemon(definition) || len(task.Containers) == 0
	for _, container := range task.Containers {
		image, digest := aws.ToString(container.Image), aws.ToString(container.ImageDigest)
		use := inuse.Use{By: arn, Runs: status == running && aws.ToString(container.LastStatus) == running}
		if image == "" && digest == "" && !use.Runs && described {
			required = true // the task definition names the image of the container
			continue
		}
		if err := s.container(image, digest, use); err != nil {
			return err
		}
	}
	if status != stopped && len(task.Containers) == 0 && definition == "" {
		return fmt.Errorf("%s names neither containers nor a task definition", arn)
	}
	if described {
		s.define(&definition, definition, user{optional: !required})
	}
	s.name(definition)
	return nil
}

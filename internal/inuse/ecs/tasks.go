package ecs

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	for _, container := range task.Containers {
		image, digest := aws.ToString(container.Image), aws.ToString(container.ImageDigest)
		use := inuse.Use{By: arn, Runs: status == running && aws.ToString(container.LastStatus) == running}
		if image == "" && digest == "" && !use.Runs && status != stopped && definition != "" {
			continue // the task definition names the image of the container
		}
		if err := s.container(image, digest, use); err != nil {
			return err
		}
	}
	if status == stopped {
		return nil
	}
	if len(task.Containers) == 0 && definition == "" {
		return fmt.Errorf("%s names neither containers nor a task definition", arn)
	}
	s.define(&definition, definition, 0)
	return nil
}

// define adds a task definition, its user and the smallest Revision of its uses.
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

// families adds the newest task definitions of all active families to the definitions.
func (s *scan) families(ctx context.Context) error {
	if s.Revisions == 0 {
		return nil
	}
	families, err := query.List(func(token *string) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
		return s.API.ListTaskDefinitionFamilies(ctx, &ecs.ListTaskDefinitionFamiliesInput{
			Status: types.TaskDefinitionFamilyStatusActive, MaxResults: aws.Int32(maxPage), NextToken: token,
		})
	}, func(out *ecs.ListTaskDefinitionFamiliesOutput) ([]string, *string) {
		return out.Families, out.NextToken
	})
	if err != nil {
		return explain("list task definition families", err)
	}
	return query.Each(ctx, families, s.newest)
}

// newest adds the newest task definitions of one family to the definitions. It skips other
// families, which an emulator lists if their names begin with this one.
func (s *scan) newest(ctx context.Context, family string) error {
	revision := 0
	for arn, err := range query.Pages(func(token *string) (*ecs.ListTaskDefinitionsOutput, error) {
		return s.API.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{
			FamilyPrefix: &family, Status: types.TaskDefinitionStatusActive, Sort: types.SortOrderDesc,
			MaxResults: aws.Int32(int32(min(s.Revisions, maxPage))), NextToken: token,
		})
	}, func(out *ecs.ListTaskDefinitionsOutput) ([]string, *string) {
		return out.TaskDefinitionArns, out.NextToken
	}) {
		if err != nil {
			return explain("list task definitions of "+family, err)
		}
		name, _, _ := strings.Cut(arn[strings.LastIndex(arn, "/")+1:], ":") // arn:…:task-definition/name:revision
		if name != family {
			continue
		}
		revision++
		s.define(&arn, arn, revision)
		if revision == s.Revisions {
			break
		}
	}
	return nil
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

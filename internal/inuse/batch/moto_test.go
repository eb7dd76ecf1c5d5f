//go:build integration

package batch_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/batch"
	"github.com/aws/aws-sdk-go-v2/service/batch/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// Moto's parent of an array job stays in progress, without a container to run.
func TestMoto(t *testing.T) {
	url := inusetest.Moto(t)
	cfg := inusetest.ConfigFor(url)
	client := sdk.NewFromConfig(cfg)
	environment, err := client.CreateComputeEnvironment(t.Context(), &sdk.CreateComputeEnvironmentInput{
		ComputeEnvironmentName: aws.String("ours"), Type: types.CETypeUnmanaged, ServiceRole: aws.String(inusetest.MotoRole(t, url)),
	})
	awstest.NoError(t, err)
	queue, err := client.CreateJobQueue(t.Context(), &sdk.CreateJobQueueInput{
		JobQueueName: aws.String("q"), Priority: aws.Int32(1), State: types.JQStateEnabled,
		ComputeEnvironmentOrder: []types.ComputeEnvironmentOrder{{ComputeEnvironment: environment.ComputeEnvironmentArn, Order: aws.Int32(1)}},
	})
	awstest.NoError(t, err)
	image := func(name string) *string { return aws.String(host + name) }
	define := func(in *sdk.RegisterJobDefinitionInput) *string {
		t.Helper()
		out, err := client.RegisterJobDefinition(t.Context(), in)
		awstest.NoError(t, err)
		return out.JobDefinitionArn
	}
	container := define(&sdk.RegisterJobDefinitionInput{JobDefinitionName: aws.String("one"), Type: "container", ContainerProperties: &types.ContainerProperties{
		Image: image("one:v1"), ResourceRequirements: []types.ResourceRequirement{
			{Type: types.ResourceTypeVcpu, Value: aws.String("1")}, {Type: types.ResourceTypeMemory, Value: aws.String("128")},
		},
	}})
	eks := define(&sdk.RegisterJobDefinitionInput{JobDefinitionName: aws.String("pod"), Type: "container", EksProperties: &types.EksProperties{
		PodProperties: &types.EksPodProperties{Containers: []types.EksContainer{{
			Image: image("pod:v1"), Name: aws.String("main"),
			Resources: &types.EksContainerResourceRequirements{Limits: map[string]string{"cpu": "1", "memory": "128Mi"}},
		}}},
	}})
	one, pod := "one:v1 "+*container, "pod:v1 "+*eks
	inusetest.WantUses(t, newSource(cfg), one, pod)
	submit := func(definition *string) string {
		t.Helper()
		out, err := client.SubmitJob(t.Context(), &sdk.SubmitJobInput{
			JobName: aws.String("job"), JobQueue: queue.JobQueueArn, JobDefinition: definition, ArrayProperties: &types.ArrayProperties{Size: aws.Int32(2)},
		})
		awstest.NoError(t, err)
		return *out.JobArn
	}
	submit(container) // moto names no image of this job
	job := "pod:v1 " + submit(eks)
	inusetest.WantUses(t, newSource(cfg), one, pod, job)
	_, err = client.DeregisterJobDefinition(t.Context(), &sdk.DeregisterJobDefinitionInput{JobDefinition: eks})
	awstest.NoError(t, err)
	inusetest.WantUses(t, newSource(cfg), one, job)
}

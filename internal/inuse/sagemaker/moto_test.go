//go:build integration

package sagemaker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

const role = "arn:aws:iam::123456789012:role/sagemaker"

// Moto has models, pipelines, and endpoints without images. Its jobs have always ended. It
// lacks the other listings.
func TestMoto(t *testing.T) {
	cfg := inusetest.ConfigFor(inusetest.Moto(t))
	client := awssagemaker.NewFromConfig(cfg)
	names := []string{"one", "gone"}
	for i := range 100 { // with the first, more than a page
		names = append(names, fmt.Sprintf("m%02d", i))
	}
	for _, name := range names {
		do(&sdk{T: t}, client.CreateModel, &awssagemaker.CreateModelInput{
			ModelName: &name, ExecutionRoleArn: aws.String(role),
			PrimaryContainer: &types.ContainerDefinition{Image: aws.String(registry + "model:" + name)},
		})
	}
	do(&sdk{T: t}, client.CreateEndpointConfig, &awssagemaker.CreateEndpointConfigInput{
		EndpointConfigName: aws.String("web"), ProductionVariants: []types.ProductionVariant{{
			VariantName: aws.String("all"), ModelName: aws.String("one"),
			InstanceType: types.ProductionVariantInstanceTypeMlM5Large, InitialInstanceCount: aws.Int32(1),
		}},
	})
	do(&sdk{T: t}, client.CreateEndpoint, &awssagemaker.CreateEndpointInput{EndpointName: aws.String("web"), EndpointConfigName: aws.String("web")})
	do(&sdk{T: t}, client.DeleteModel, &awssagemaker.DeleteModelInput{ModelName: aws.String("gone")})
	do(&sdk{T: t}, client.CreateTrainingJob, &awssagemaker.CreateTrainingJobInput{
		TrainingJobName: aws.String("ended"), RoleArn: aws.String(role),
		AlgorithmSpecification: &types.AlgorithmSpecification{TrainingInputMode: types.TrainingInputModeFile, TrainingImage: aws.String(registry + "train:v1")},
		OutputDataConfig:       &types.OutputDataConfig{S3OutputPath: aws.String("s3://bucket/a")},
		StoppingCondition:      &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(60)},
		ResourceConfig: &types.ResourceConfig{
			InstanceCount: aws.Int32(1), InstanceType: types.TrainingInstanceTypeMlM5Large, VolumeSizeInGB: aws.Int32(1),
		},
	})
	for call, answer := range map[string]string{
		".ListInferenceComponents": `{"InferenceComponents": []}`, ".ListAlgorithms": `{"AlgorithmSummaryList": []}`,
		".ListMonitoringSchedules": `{"MonitoringScheduleSummaries": []}`, ".ListImages": `{"Images": []}`,
	} {
		cfg = inusetest.Instead(cfg, call, answer)
	}
	do(&sdk{T: t}, client.CreatePipeline, &awssagemaker.CreatePipelineInput{
		PipelineName: aws.String("nightly"), RoleArn: aws.String(role), ClientRequestToken: aws.String(strings.Repeat("t", 32)),
		PipelineDefinition: aws.String(`{"Steps": [{"Arguments": {"AppSpecification": {"ImageUri": "` + registry + `step:v1"}}}]}`),
	})
	got, err := inusetest.Uses(t, newSource(cfg))
	awstest.NoError(t, err)
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], "arn:aws:sagemaker:"+inusetest.Region+":123456789012:", "")
	}
	want := []string{"step:v1 pipeline/nightly"}
	for _, name := range slices.DeleteFunc(names, func(name string) bool { return name == "gone" }) {
		want = append(want, "model:"+name+" model/"+name)
	}
	slices.Sort(want)
	slices.Sort(got)
	awstest.Equal(t, "uses", want, got)
}

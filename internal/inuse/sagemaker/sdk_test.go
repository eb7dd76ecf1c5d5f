package sagemaker_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// The SDK's client sends the same requests, and reads the same images from the answers.
func TestTheSDKSendsAndReadsTheSame(t *testing.T) {
	t.Parallel()
	b := busy()
	b.Page = 1
	ours, theirs := &inusetest.Requests{Handler: b}, &inusetest.Requests{Handler: b}
	got, err := inusetest.Uses(t, newSource(inusetest.Config(t, ours)))
	awstest.NoError(t, err)
	s := &sdk{t, awssagemaker.NewFromConfig(inusetest.Config(t, theirs)), nil}
	s.algorithms()
	s.pipelines()
	s.schedules()
	s.versions()
	s.models()
	s.endpoints()
	s.components()
	for _, status := range []string{"InProgress", "Stopping"} {
		s.tuningJobs(types.HyperParameterTuningJobStatus(status))
		s.trainingJobs(types.TrainingJobStatus(status))
		s.processingJobs(types.ProcessingJobStatus(status))
	}
	slices.Sort(s.found)
	slices.Sort(got)
	awstest.Equal(t, "uses", s.found, got)
	awstest.Equal(t, "requests", theirs.Sorted(), ours.Sorted())
}

// An sdk makes the calls of the source with the SDK's client.
type sdk struct {
	*testing.T
	client *awssagemaker.Client
	found  []string
}

var limit = aws.Int32(100)

// add adds the use of an image, unless it has no name.
func (s *sdk) add(by, image *string) {
	if image != nil {
		s.found = append(s.found, strings.TrimPrefix(*image, registry)+" "+*by)
	}
}

// pages calls read with the items of each page of a listing.
func pages[O, T any](
	s *sdk, more func() bool, next func(context.Context, ...func(*awssagemaker.Options)) (O, error), items func(O) []T, read func(T),
) {
	for more() {
		page, err := next(s.Context())
		awstest.NoError(s, err)
		for _, item := range items(page) {
			read(item)
		}
	}
}

// do returns the answer of a call.
func do[I, O any](s *sdk, call func(context.Context, I, ...func(*awssagemaker.Options)) (O, error), in I) O {
	out, err := call(s.Context(), in)
	awstest.NoError(s, err)
	return out
}

func (s *sdk) models() {
	p := awssagemaker.NewListModelsPaginator(s.client, &awssagemaker.ListModelsInput{MaxResults: limit})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListModelsOutput) []types.ModelSummary { return o.Models }, func(m types.ModelSummary) {
		out := do(s, s.client.DescribeModel, &awssagemaker.DescribeModelInput{ModelName: m.ModelName})
		containers := out.Containers
		if out.PrimaryContainer != nil {
			containers = append(containers, *out.PrimaryContainer)
		}
		for _, c := range containers {
			s.add(m.ModelArn, c.Image)
			if c.ModelPackageName != nil {
				s.modelPackage(m.ModelArn, c.ModelPackageName)
			}
		}
	})
}

func (s *sdk) modelPackage(by, name *string) {
	out := do(s, s.client.DescribeModelPackage, &awssagemaker.DescribeModelPackageInput{ModelPackageName: name})
	containers := out.InferenceSpecification.Containers
	for _, additional := range out.AdditionalInferenceSpecifications {
		containers = append(containers, additional.Containers...)
	}
	for _, c := range containers {
		s.add(by, c.Image)
		if c.ImageDigest != nil {
			s.add(by, aws.String(*c.Image+"@"+strings.ToLower(*c.ImageDigest)))
		}
	}
}

func (s *sdk) deployed(by *string, images ...types.DeployedImage) {
	for _, image := range images {
		s.add(by, image.SpecifiedImage)
		s.add(by, image.ResolvedImage)
	}
}

func (s *sdk) endpoints() {
	p := awssagemaker.NewListEndpointsPaginator(s.client, &awssagemaker.ListEndpointsInput{MaxResults: limit})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListEndpointsOutput) []types.EndpointSummary { return o.Endpoints }, func(e types.EndpointSummary) {
		out := do(s, s.client.DescribeEndpoint, &awssagemaker.DescribeEndpointInput{EndpointName: e.EndpointName})
		for _, v := range append(out.ProductionVariants, out.ShadowProductionVariants...) {
			s.deployed(e.EndpointArn, v.DeployedImages...)
		}
		if pending := out.PendingDeploymentSummary; pending != nil {
			for _, v := range append(pending.ProductionVariants, pending.ShadowProductionVariants...) {
				s.deployed(e.EndpointArn, v.DeployedImages...)
			}
		}
	})
}

func (s *sdk) components() {
	p := awssagemaker.NewListInferenceComponentsPaginator(s.client, &awssagemaker.ListInferenceComponentsInput{MaxResults: limit})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListInferenceComponentsOutput) []types.InferenceComponentSummary {
		return o.InferenceComponents
	}, func(c types.InferenceComponentSummary) {
		out := do(s, s.client.DescribeInferenceComponent, &awssagemaker.DescribeInferenceComponentInput{InferenceComponentName: c.InferenceComponentName})
		specifications := out.Specifications
		if out.Specification != nil {
			specifications = append(specifications, *out.Specification)
		}
		for _, of := range specifications {
			if of.Container != nil && of.Container.DeployedImage != nil {
				s.deployed(c.InferenceComponentArn, *of.Container.DeployedImage)
			}
		}
	})
}

func (s *sdk) algorithm(by, name *string) {
	if name != nil {
		out := do(s, s.client.DescribeAlgorithm, &awssagemaker.DescribeAlgorithmInput{AlgorithmName: name})
		s.add(by, out.TrainingSpecification.TrainingImage)
	}
}

func (s *sdk) algorithms() {
	p := awssagemaker.NewListAlgorithmsPaginator(s.client, &awssagemaker.ListAlgorithmsInput{MaxResults: limit})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListAlgorithmsOutput) []types.AlgorithmSummary {
		return o.AlgorithmSummaryList
	}, func(a types.AlgorithmSummary) { s.algorithm(a.AlgorithmArn, a.AlgorithmName) })
}

func (s *sdk) pipelines() {
	p := awssagemaker.NewListPipelinesPaginator(s.client, &awssagemaker.ListPipelinesInput{MaxResults: limit})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListPipelinesOutput) []types.PipelineSummary {
		return o.PipelineSummaries
	}, func(summary types.PipelineSummary) {
		out := do(s, s.client.DescribePipeline, &awssagemaker.DescribePipelineInput{PipelineName: summary.PipelineName})
		for _, image := range []string{registry + "default:v1", registry + "step:v1", "proxy.example.com/step:v2"} {
			awstest.Equal(s, image+" is in the definition", true, strings.Contains(*out.PipelineDefinition, `"`+image+`"`))
			s.add(summary.PipelineArn, &image)
		}
	})
}

func (s *sdk) schedules() {
	p := awssagemaker.NewListMonitoringSchedulesPaginator(s.client, &awssagemaker.ListMonitoringSchedulesInput{MaxResults: limit})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListMonitoringSchedulesOutput) []types.MonitoringScheduleSummary {
		return o.MonitoringScheduleSummaries
	}, func(m types.MonitoringScheduleSummary) {
		out := do(s, s.client.DescribeMonitoringSchedule, &awssagemaker.DescribeMonitoringScheduleInput{MonitoringScheduleName: m.MonitoringScheduleName})
		var image *string
		name := out.MonitoringScheduleConfig.MonitoringJobDefinitionName
		switch out.MonitoringScheduleConfig.MonitoringType {
		case types.MonitoringTypeDataQuality:
			image = do(s, s.client.DescribeDataQualityJobDefinition, &awssagemaker.DescribeDataQualityJobDefinitionInput{JobDefinitionName: name}).
				DataQualityAppSpecification.ImageUri
		case types.MonitoringTypeModelQuality:
			image = do(s, s.client.DescribeModelQualityJobDefinition, &awssagemaker.DescribeModelQualityJobDefinitionInput{JobDefinitionName: name}).
				ModelQualityAppSpecification.ImageUri
		case types.MonitoringTypeModelBias:
			image = do(s, s.client.DescribeModelBiasJobDefinition, &awssagemaker.DescribeModelBiasJobDefinitionInput{JobDefinitionName: name}).
				ModelBiasAppSpecification.ImageUri
		case types.MonitoringTypeModelExplainability:
			image = do(s, s.client.DescribeModelExplainabilityJobDefinition, &awssagemaker.DescribeModelExplainabilityJobDefinitionInput{JobDefinitionName: name}).
				ModelExplainabilityAppSpecification.ImageUri
		default:
			image = out.MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringAppSpecification.ImageUri
		}
		s.add(m.MonitoringScheduleArn, image)
	})
}

func (s *sdk) versions() {
	p := awssagemaker.NewListImagesPaginator(s.client, &awssagemaker.ListImagesInput{MaxResults: limit})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListImagesOutput) []types.Image { return o.Images }, func(i types.Image) {
		p := awssagemaker.NewListImageVersionsPaginator(s.client, &awssagemaker.ListImageVersionsInput{ImageName: i.ImageName, MaxResults: limit})
		pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListImageVersionsOutput) []types.ImageVersion {
			return o.ImageVersions
		}, func(v types.ImageVersion) {
			out := do(s, s.client.DescribeImageVersion, &awssagemaker.DescribeImageVersionInput{ImageName: i.ImageName, Version: v.Version})
			s.add(v.ImageVersionArn, out.BaseImage)
			s.add(v.ImageVersionArn, out.ContainerImage)
		})
	})
}

func (s *sdk) tuningJobs(status types.HyperParameterTuningJobStatus) {
	p := awssagemaker.NewListHyperParameterTuningJobsPaginator(s.client,
		&awssagemaker.ListHyperParameterTuningJobsInput{MaxResults: limit, StatusEquals: status})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListHyperParameterTuningJobsOutput) []types.HyperParameterTuningJobSummary {
		return o.HyperParameterTuningJobSummaries
	}, func(j types.HyperParameterTuningJobSummary) {
		out := do(s, s.client.DescribeHyperParameterTuningJob,
			&awssagemaker.DescribeHyperParameterTuningJobInput{HyperParameterTuningJobName: j.HyperParameterTuningJobName})
		definitions := out.TrainingJobDefinitions
		if out.TrainingJobDefinition != nil {
			definitions = append(definitions, *out.TrainingJobDefinition)
		}
		for _, d := range definitions {
			s.add(j.HyperParameterTuningJobArn, d.AlgorithmSpecification.TrainingImage)
			s.algorithm(j.HyperParameterTuningJobArn, d.AlgorithmSpecification.AlgorithmName)
		}
	})
}

func (s *sdk) trainingJobs(status types.TrainingJobStatus) {
	p := awssagemaker.NewListTrainingJobsPaginator(s.client, &awssagemaker.ListTrainingJobsInput{MaxResults: limit, StatusEquals: status})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListTrainingJobsOutput) []types.TrainingJobSummary {
		return o.TrainingJobSummaries
	}, func(j types.TrainingJobSummary) {
		out := do(s, s.client.DescribeTrainingJob, &awssagemaker.DescribeTrainingJobInput{TrainingJobName: j.TrainingJobName})
		if out.AlgorithmSpecification != nil {
			s.add(j.TrainingJobArn, out.AlgorithmSpecification.TrainingImage)
		}
		for _, rule := range out.DebugRuleConfigurations {
			s.add(j.TrainingJobArn, rule.RuleEvaluatorImage)
		}
		for _, rule := range out.ProfilerRuleConfigurations {
			s.add(j.TrainingJobArn, rule.RuleEvaluatorImage)
		}
	})
}

func (s *sdk) processingJobs(status types.ProcessingJobStatus) {
	p := awssagemaker.NewListProcessingJobsPaginator(s.client, &awssagemaker.ListProcessingJobsInput{MaxResults: limit, StatusEquals: status})
	pages(s, p.HasMorePages, p.NextPage, func(o *awssagemaker.ListProcessingJobsOutput) []types.ProcessingJobSummary {
		return o.ProcessingJobSummaries
	}, func(j types.ProcessingJobSummary) {
		out := do(s, s.client.DescribeProcessingJob, &awssagemaker.DescribeProcessingJobInput{ProcessingJobName: j.ProcessingJobName})
		s.add(j.ProcessingJobArn, out.AppSpecification.ImageUri)
	})
}

func TestTheSDKHasTheSameEndpoints(t *testing.T) {
	inusetest.SameEndpoints(t, "SAGEMAKER", func(_ context.Context, cfg aws.Config) error {
		_, err := inusetest.Uses(t, newSource(cfg)) //nolint:contextcheck // it takes the context of the test
		return err
	}, func(ctx context.Context, cfg aws.Config) error {
		_, err := awssagemaker.NewFromConfig(cfg).ListModels(ctx, &awssagemaker.ListModelsInput{MaxResults: limit})
		return err
	})
}

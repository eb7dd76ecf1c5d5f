package sagemaker

import "slices"

// A description has the members of all Describe operations that name images. Each answer
// has some of them, and one of the ARNs.
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations.html
type description struct {
	EndpointArn, ModelArn, InferenceComponentArn, TrainingJobArn, ProcessingJobArn string
	HyperParameterTuningJobArn, ModelPackageArn, AlgorithmArn, PipelineArn         string
	MonitoringScheduleArn, ImageVersionArn, JobDefinitionArn                       string

	ProductionVariants, ShadowProductionVariants        []variant // of an endpoint
	PendingDeploymentSummary                            struct{ ProductionVariants, ShadowProductionVariants []variant }
	PrimaryContainer                                    reference // of a model
	Containers                                          []reference
	AlgorithmSpecification                              reference // of a training job
	DebugRuleConfigurations, ProfilerRuleConfigurations []reference
	AppSpecification                                    reference // of a processing job
	Specification                                       component // of an inference component
	Specifications                                      []component
	TrainingJobDefinition                               definition // of a tuning job
	TrainingJobDefinitions                              []definition
	TrainingSpecification                               reference // of an algorithm
	InferenceSpecification                              inference // of an algorithm or a model package
	AdditionalInferenceSpecifications                   []inference
	BaseImage, ContainerImage                           string // of an image version
	PipelineDefinition                                  string // a JSON document
	MonitoringScheduleConfig                            struct {
		reference
		MonitoringJobDefinition struct{ MonitoringAppSpecification reference }
	}
	DataQualityAppSpecification, ModelQualityAppSpecification      reference // of a job definition
	ModelBiasAppSpecification, ModelExplainabilityAppSpecification reference
}

type variant struct{ DeployedImages []reference }

type component struct {
	Container struct {
		reference
		DeployedImage reference
	}
}

type definition struct{ AlgorithmSpecification reference }

type inference struct{ Containers []reference }

// A reference has the members with which the objects of a description name an image.
type reference struct {
	Image, ImageUri, TrainingImage, RuleEvaluatorImage string
	ImageDigest, TrainingImageDigest                   string
	SpecifiedImage, ResolvedImage                      string // of an image that is deployed; resolved by digest
	ModelPackageName, AlgorithmName                    string // instead of an image
	MonitoringJobDefinitionName, MonitoringType        string // likewise
}

// names returns the names of the image.
func (r reference) names() (names []string) {
	for _, name := range []string{r.Image, r.ImageUri, r.TrainingImage, r.RuleEvaluatorImage, r.SpecifiedImage, r.ResolvedImage} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// images returns the references to images.
func (d *description) images() []reference {
	all := slices.Concat(d.Containers, d.DebugRuleConfigurations, d.ProfilerRuleConfigurations,
		[]reference{
			d.PrimaryContainer, d.AlgorithmSpecification, d.AppSpecification, d.TrainingSpecification,
			d.DataQualityAppSpecification, d.ModelQualityAppSpecification, d.ModelBiasAppSpecification, d.ModelExplainabilityAppSpecification,
			d.MonitoringScheduleConfig.reference, d.MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringAppSpecification,
			{Image: d.BaseImage},
			{Image: d.ContainerImage},
		})
	pending := d.PendingDeploymentSummary
	for _, v := range slices.Concat(d.ProductionVariants, d.ShadowProductionVariants, pending.ProductionVariants, pending.ShadowProductionVariants) {
		all = append(all, v.DeployedImages...)
	}
	for _, c := range append(d.Specifications, d.Specification) {
		all = append(all, c.Container.reference, c.Container.DeployedImage)
	}
	for _, t := range append(d.TrainingJobDefinitions, d.TrainingJobDefinition) {
		all = append(all, t.AlgorithmSpecification)
	}
	for _, i := range append(d.AdditionalInferenceSpecifications, d.InferenceSpecification) {
		all = append(all, i.Containers...)
	}
	return all
}

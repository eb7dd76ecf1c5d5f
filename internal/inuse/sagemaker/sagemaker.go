// Package sagemaker is the in-use source for Amazon SageMaker AI. It takes the API of one
// Region. It returns the images of
//
//   - models, also those in the model packages that they name;
//   - endpoints and inference components, as given and by the digest that is deployed;
//   - training jobs, their rules, processing jobs and tuning jobs that are in progress;
//   - what starts such jobs later: algorithms, pipelines, and monitoring schedules;
//   - all versions of SageMaker images, which Studio and notebooks start.
//
// A transform job runs a model. An image whose name a pipeline computes is not found.
package sagemaker

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions for the calls of the source. It describes model packages
// and job definitions only if a model or a schedule names one.
var Actions = []string{
	"sagemaker:DescribeAlgorithm", "sagemaker:DescribeDataQualityJobDefinition", "sagemaker:DescribeEndpoint", "sagemaker:DescribeHyperParameterTuningJob",
	"sagemaker:DescribeImageVersion", "sagemaker:DescribeInferenceComponent", "sagemaker:DescribeModel",
	"sagemaker:DescribeModelBiasJobDefinition", "sagemaker:DescribeModelExplainabilityJobDefinition",
	"sagemaker:DescribeModelPackage", "sagemaker:DescribeModelQualityJobDefinition", "sagemaker:DescribeMonitoringSchedule", "sagemaker:DescribePipeline",
	"sagemaker:DescribeProcessingJob", "sagemaker:DescribeTrainingJob", "sagemaker:ListAlgorithms", "sagemaker:ListEndpoints",
	"sagemaker:ListHyperParameterTuningJobs", "sagemaker:ListImageVersions", "sagemaker:ListImages",
	"sagemaker:ListInferenceComponents", "sagemaker:ListModels", "sagemaker:ListMonitoringSchedules",
	"sagemaker:ListPipelines", "sagemaker:ListProcessingJobs", "sagemaker:ListTrainingJobs",
}

const name = "sagemaker" // in protect.inUse

type source struct{ api awsclient.Service }

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return source{awsclient.Service{Config: env.AWS, Name: name, Prefix: "api.sagemaker", SDKID: "SageMaker", Clock: env.Clock}}
}

// Name returns "sagemaker".
func (source) Name() string { return name }

// A kind is one of the resources that use images.
type kind struct {
	name, text string   // the name is that in ListModels and ModelArn
	statuses   []string // of those to list
	needsImage bool     // true if each has one
}

var (
	all        = []string{""}
	inProgress = []string{"InProgress", "Stopping"} // in the order in which a job has them
	// kinds are in the order in which one hands its image on to another.
	kinds = []kind{
		{"Algorithm", "algorithm", all, true},
		{"Pipeline", "pipeline", all, false},
		{"MonitoringSchedule", "monitoring schedule", all, false},
		{"Model", "model", all, true},
		{"Endpoint", "endpoint", all, false},
		{"InferenceComponent", "inference component", all, false},
		{"HyperParameterTuningJob", "tuning job", inProgress, false},
		{"TrainingJob", "training job", inProgress, false},
		{"ProcessingJob", "processing job", inProgress, true},
	}
)

// Uses queries SageMaker.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		for _, k := range kinds {
			for _, status := range k.statuses {
				in := map[string]any{}
				if status != "" {
					in["StatusEquals"] = status
				}
				items, err := s.list(ctx, k, in)
				if err != nil {
					return err
				}
				if err := query.Each(ctx, items, func(ctx context.Context, i item) error {
					return s.images(ctx, c, k, i, map[string]any{k.name + "Name": i.name})
				}); err != nil {
					return err
				}
			}
		}
		images, err := s.list(ctx, kind{name: "Image", text: "image"}, map[string]any{})
		if err != nil {
			return err
		}
		return query.Each(ctx, images, func(ctx context.Context, i item) error { return s.versions(ctx, c, i.name) })
	})
}

// versions adds the images of the versions of a SageMaker image. Their listing has numbers.
func (s source) versions(ctx context.Context, c *inuse.Collector, image string) error {
	k := kind{name: "ImageVersion", text: "image version"}
	all, err := s.list(ctx, k, map[string]any{"ImageName": image})
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, v := range all {
		in := map[string]any{"ImageName": image, "Version": v.version}
		if err := s.images(ctx, c, k, item{fmt.Sprint(image, " ", v.version), v.arn, v.version}, in); err != nil {
			return err
		}
	}
	return nil
}

// images adds the images of a resource, which the input of its operation Describe names.
func (s source) images(ctx context.Context, c *inuse.Collector, k kind, i item, in map[string]any) error {
	doing := "describe " + k.text + " " + i.name
	var found description
	err := s.post(ctx, "Describe"+k.name, in, &found)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return query.Explain(name, doing, err)
	}
	planned, err := found.planned()
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	known := false
	for _, image := range append(found.images(), planned...) {
		known = known || image != reference{}
		if err := s.add(ctx, c, image, i.arn); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	if !known && k.needsImage {
		return fmt.Errorf("%s: the answer names no image", doing)
	}
	return nil
}

// add adds the image of a reference, or those of the package or algorithm that it names.
func (s source) add(ctx context.Context, c *inuse.Collector, r reference, by string) error {
	if r.names() == nil {
		return s.origin(ctx, c, r, by)
	}
	digest := strings.ToLower(r.ImageDigest + r.TrainingImageDigest) // the API allows upper case
	for _, image := range r.names() {
		// A deployed image without a digest may be one that the tag had before.
		unresolved := image == r.SpecifiedImage && r.ResolvedImage == "" && !strings.Contains(image, "@")
		if err := c.Add(image, "", inuse.Use{By: by, AllImages: unresolved}); err != nil {
			return err
		}
		if digest == "" {
			continue
		}
		if err := c.Add(image, digest, inuse.Use{By: by}); err != nil {
			return err
		}
	}
	return nil
}

// origin adds the images of the model package, algorithm or job definition that a reference
// names instead of an image. A model package may belong to another account.
func (s source) origin(ctx context.Context, c *inuse.Collector, r reference, by string) error {
	for _, of := range []struct{ operation, member, text, name string }{
		{"DescribeModelPackage", "ModelPackageName", "model package", r.ModelPackageName},
		{"DescribeAlgorithm", "AlgorithmName", "algorithm", r.AlgorithmName},
		{"Describe" + r.MonitoringType + "JobDefinition", "JobDefinitionName", "job definition", r.MonitoringJobDefinitionName},
	} {
		if of.name == "" {
			continue
		}
		doing := "describe " + of.text + " " + of.name
		var found description
		err := s.post(ctx, of.operation, map[string]any{of.member: of.name}, &found)
		switch {
		case gone(err):
			return fmt.Errorf("%s: %w; delete %s, whose image is not known", doing, err, by)
		case err != nil:
			return query.Explain(name, doing, err)
		}
		for _, image := range found.images() {
			image.ModelPackageName, image.AlgorithmName = "", ""
			if err := s.add(ctx, c, image, by); err != nil {
				return fmt.Errorf("%s: %w", doing, err)
			}
		}
	}
	return nil
}

func (s source) post(ctx context.Context, operation string, in, out any) error {
	return s.api.Post(ctx, "SageMaker."+operation, "1.1", in, out)
}

// gone reports whether the resource was deleted after it was listed. SageMaker says so with
// the code, or in the message of a general one.
func gone(err error) bool {
	if query.HasCode(err, "ResourceNotFound", "ResourceNotFoundException") {
		return true
	}
	if !query.HasCode(err, "ValidationException") {
		return false
	}
	message := strings.ToLower(err.Error())
	return strings.Contains(message, "could not find") || strings.Contains(message, "not found") || strings.Contains(message, "does not exist")
}
